"""Where secrets are kept; read by tenant scope and path."""
