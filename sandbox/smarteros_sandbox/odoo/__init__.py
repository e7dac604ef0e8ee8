"""A stand-in Odoo 19: the External JSON-2 API over the demo shops' invoices."""

from smarteros_sandbox.odoo.app import create_odoo_app

__all__ = ["create_odoo_app"]
