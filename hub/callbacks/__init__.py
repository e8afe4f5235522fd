"""Signed webhooks out: what EventsService tells, posted to the tenant's endpoint."""
