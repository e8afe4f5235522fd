"""Payments at Stripe, by payment intents."""
