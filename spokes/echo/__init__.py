"""The living reference: payments at a trivial provider of our own."""
