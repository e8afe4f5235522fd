"""Requests in: who may ask for what, and how a request becomes a job."""
