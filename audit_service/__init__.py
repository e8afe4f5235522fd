"""The write-once log of signed statements, and the program that checks it offline."""
