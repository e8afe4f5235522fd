"""Events in: webhooks, and what providers say of jobs."""
