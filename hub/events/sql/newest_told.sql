-- A cursor behind which all lies that is told from now on.
SELECT {events/horizon} - 1 AS cursor
