"""Alerts: what is watched, who is told, and the sinks that tell them."""
