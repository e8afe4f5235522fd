-- A cursor behind which every event of now lies.
SELECT (CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) << 20) - 1 AS cursor
