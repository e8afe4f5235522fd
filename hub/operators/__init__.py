"""What the people on call see and change."""
