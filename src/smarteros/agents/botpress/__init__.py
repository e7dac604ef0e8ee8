"""A shop's own bot at Botpress as its brain (docs/botpress.md)."""
