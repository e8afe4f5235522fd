"""One statement per file, named after what it does."""
