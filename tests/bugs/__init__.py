"""Bugs planted into copies of the product, one at a time: the tests must notice each."""
