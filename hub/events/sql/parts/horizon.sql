-- The cursor from which on commits still under way could come.
(CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) << 20)
