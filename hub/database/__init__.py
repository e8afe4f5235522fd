"""The connection to Postgres, its schema, and how statements are read."""
