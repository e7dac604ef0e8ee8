"""Metrics, spans and logs: the same step names in all three."""
