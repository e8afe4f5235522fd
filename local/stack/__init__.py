"""The whole product on one machine: its processes, their files and their order."""
