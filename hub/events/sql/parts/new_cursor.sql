-- The first cursor of the transaction that writes: what it adds goes up from here.
(CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20)
