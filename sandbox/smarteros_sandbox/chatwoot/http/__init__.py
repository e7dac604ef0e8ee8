"""The HTTP surface of the stand-in Chatwoot."""
