"""What the people on call do, on the whole product in one process."""
