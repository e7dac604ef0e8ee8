"""Odoo 19 and later: invoices over the JSON-2 API."""
