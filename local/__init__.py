"""The whole product on one machine: its parts, its sandboxes, its story and its bench."""
