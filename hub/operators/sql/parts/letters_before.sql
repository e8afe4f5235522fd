-- Before a position in the order of dead letters, newest first; no position: all of them.
(d.entered_at, d.job_id) < (COALESCE(CAST(:before AS timestamptz), 'infinity'),
                              COALESCE(CAST(:before_job AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
