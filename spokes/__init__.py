"""The spokes: one service per outside provider, and the kit that they share."""
