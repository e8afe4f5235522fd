"""Requests in: the typed capabilities, jobs and webhooks."""
