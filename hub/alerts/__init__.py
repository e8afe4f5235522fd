"""Alerts: what people are told, when, and how."""
