"""The limit on custom attributes, for contacts and conversations alike."""

from __future__ import annotations

from smarteros_sandbox.chatwoot.errors import invalid
from smarteros_sandbox.chatwoot.records import JsonObject

MAX_TEXT = 1500
MAX_NUMBER = 9_999_999_999


def check_custom_attributes(attributes: JsonObject) -> JsonObject:
    """Chatwoot app/models/concerns/jsonb_attributes_length_validator.rb; returns what it was given."""
    for name, value in attributes.items():
        too_long = isinstance(value, str) and len(value) > MAX_TEXT
        too_big = isinstance(value, int | float) and value > MAX_NUMBER
        if too_long or too_big:
            limit = f"length should be < {MAX_TEXT}" if too_long else f"value should be < {MAX_NUMBER}"
            raise invalid(f"Custom attributes {name} {limit}", "custom_attributes")
    return attributes
