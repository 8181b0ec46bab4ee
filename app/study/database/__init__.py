"""The studies' database: SQLite, or Postgres by its address."""
