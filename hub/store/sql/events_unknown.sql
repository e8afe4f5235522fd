-- Those of some events of a lane that the store does not hold.
SELECT given.event_id FROM unnest(CAST(:event_ids AS text[])) AS given(event_id)
WHERE NOT EXISTS (SELECT 1 FROM webhook_event w WHERE w.lane_id = :lane AND w.event_id = given.event_id)
