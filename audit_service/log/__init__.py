"""The log itself: entries, tree, checkpoints and the one writer."""
