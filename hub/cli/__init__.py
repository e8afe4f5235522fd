"""hubctl, and the local stack that it starts."""
