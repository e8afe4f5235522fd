-- The endpoints that have answered that they want no more.
SELECT tenant, mark FROM endpoint_off
