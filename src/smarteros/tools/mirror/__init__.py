"""Our copy of each shop's catalogue: read once, kept up to date by webhooks, compared with the shop now and then."""
