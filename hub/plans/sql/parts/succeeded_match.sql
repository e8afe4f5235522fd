-- What a filter asks of a job that has ended, but for the jobs that it names.
{jobs/filter_match}
  AND (CAST(:start AS timestamptz) IS NULL OR d.updated_at >= CAST(:start AS timestamptz))
  AND (CAST(:end AS timestamptz) IS NULL OR d.updated_at < CAST(:end AS timestamptz))
