"""The outside systems that are looked at."""

from __future__ import annotations

from smarteros.doctor.examination import Group
from smarteros.doctor.odoo import OdooExamination
from smarteros.doctor.shopify import ShopifyExamination
from smarteros.kit.clock import Clock
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.mirror.opening import ShopCatalogues
from smarteros.tools.odoo.client import OdooClient


def groups(
    http: HttpClient, secrets: SecretStore, clock: Clock, catalogues: ShopCatalogues | None = None
) -> tuple[Group, ...]:
    """Return all groups of checks, one line per system; the shops' only with the ``catalogues``."""
    shops = (ShopifyExamination(catalogues).group(),) if catalogues is not None else ()
    return (*shops, OdooExamination(OdooClient(http, secrets), clock).group())
