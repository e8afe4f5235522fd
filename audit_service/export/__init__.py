"""What leaves the log as files: bundles and tiles."""
