-- Writes down the attempts just claimed, each with its signed intent.
INSERT INTO attempt (job_id, seq, purpose, term, claimed_at, intent)
SELECT job_id, seq, purpose, :term, now(), intent
FROM unnest(CAST(:job_ids AS uuid[]), CAST(:seqs AS integer[]), CAST(:purposes AS smallint[]),
            CAST(:intents AS bytea[])) AS n(job_id, seq, purpose, intent)
