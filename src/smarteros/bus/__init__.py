"""Audit events on their way out: the relay from the outbox, and the buses it knows."""
