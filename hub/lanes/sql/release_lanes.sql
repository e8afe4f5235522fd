-- Gives up leases; the terms stay spent.
UPDATE lane SET owner = '', lease_until = '-infinity'
WHERE owner = :owner AND lane_id = ANY(CAST(:lanes AS text[]))
