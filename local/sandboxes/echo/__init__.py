"""The stand-in of the echo spoke."""
