"""Migrations of the log's database."""
