"""The jobs in Postgres."""
