-- What a filter asks of a dead letter, but for the jobs that it names.
{jobs/filter_match}
  AND (CAST(:start AS timestamptz) IS NULL OR d.entered_at >= CAST(:start AS timestamptz))
  AND (CAST(:end AS timestamptz) IS NULL OR d.entered_at < CAST(:end AS timestamptz))
  AND (CAST(:cause AS smallint) = 0 OR d.cause = CAST(:cause AS smallint))
