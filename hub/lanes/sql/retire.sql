-- A replica goes: it gives up all its leases, and no lane is its share any more. The terms stay spent.
WITH gone AS (
    DELETE FROM replica WHERE owner = :owner
)
UPDATE lane SET owner = '', lease_until = '-infinity' WHERE owner = :owner
