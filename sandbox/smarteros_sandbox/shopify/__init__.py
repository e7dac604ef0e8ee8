"""A stand-in Shopify: executes the real 2026-10 Admin and Storefront schemas over the demo shops."""

from smarteros_sandbox.shopify.app import create_shopify_app

__all__ = ["create_shopify_app"]
