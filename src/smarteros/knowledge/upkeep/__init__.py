"""Keeping a tenant's texts up to date: sources that are read again and again, changes checked before they answer."""
