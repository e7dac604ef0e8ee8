"""Shopify: catalogue search and cart links over the Admin GraphQL API."""
