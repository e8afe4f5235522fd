-- The cursor up to which events have been looked at.
SELECT cursor FROM event_head WHERE stream = 'callbacks'
