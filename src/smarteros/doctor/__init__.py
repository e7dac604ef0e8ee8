"""``smos doctor``: looks whether an installation's tenants can work, and says what to do where they cannot."""
