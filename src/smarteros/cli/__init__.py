"""The smos command."""
