"""Plans: replay, rollback, backfill and discard in bulk."""
