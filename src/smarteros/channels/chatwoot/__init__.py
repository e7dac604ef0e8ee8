"""Chatwoot 4.13 or later: webhooks in, the REST API out."""
