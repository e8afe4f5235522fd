"""What is kept in Postgres, and the high-water mark outside it."""
