"""Events that get their numbers after their commit: read once for all who follow, missed by nobody."""
