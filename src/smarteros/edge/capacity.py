"""How much an edge takes on at a time; apart from the web framework, which commands do without."""

from __future__ import annotations

ACCEPTED_AT_A_TIME = 8
"""Webhooks that are stored at a time. The others wait as cheap tasks; turns and requests keep their connections."""
