"""The bytes that prove: canonical statements, their signatures, the tree and its checkpoints."""
