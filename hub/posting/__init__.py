"""Posts to the outside: one POST whose answer is its status, signed as Standard Webhooks has it."""
