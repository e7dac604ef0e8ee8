"""Vendor-free frozen types. Nothing here does I/O or names a product."""
