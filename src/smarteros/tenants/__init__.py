"""Who the tenants are and which settings they have."""
