"""The outside systems that are looked at."""

from __future__ import annotations

from collections.abc import Sequence

from smarteros.agents.botpress.client import HttpBots
from smarteros.agents.llm.protocol import LanguageModel
from smarteros.doctor.addresses import AddressExamination
from smarteros.doctor.chatwoot import ChatwootExamination
from smarteros.doctor.examination import Group
from smarteros.doctor.keys import BotpressExamination, LlmExamination, VisionExamination
from smarteros.doctor.knowledge import KnowledgeExamination
from smarteros.doctor.odoo import OdooExamination
from smarteros.doctor.privacy import PrivacyExamination
from smarteros.doctor.shop_without_keys import UcpExamination
from smarteros.doctor.shopify import ShopifyExamination
from smarteros.domain.messages import Desk
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.kit.http import HttpClient
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.secrets.protocol import SecretStore
from smarteros.store.database import Database
from smarteros.tools.mirror.opening import ShopCatalogues
from smarteros.tools.odoo.client import OdooClient


def groups(
    http: HttpClient,
    secrets: SecretStore,
    clock: Clock,
    catalogues: ShopCatalogues,
    knowledge: KnowledgeBase,
    own_url: str | None,
    vision_url: str,
    language_model: LanguageModel,
    desks: Sequence[Desk],
    database: Database,
) -> tuple[Group[Tenant], ...]:
    """Return all groups of checks of a tenant, one line per system. ``own_url`` is where webhooks come to."""
    return (
        AddressExamination(http, secrets).group(),
        ChatwootExamination(http, secrets, clock, own_url, desks).group(),
        KnowledgeExamination(knowledge, clock).group(),
        PrivacyExamination(database, secrets).group(),
        *tool_groups(http, secrets, clock, catalogues),
        *key_groups(http, secrets, vision_url, language_model),
    )


def credential_groups(
    http: HttpClient,
    secrets: SecretStore,
    clock: Clock,
    database: Database,
    shopify_version: str,
    vision_url: str,
    language_model: LanguageModel,
) -> tuple[Group[Tenant], ...]:
    """Return what tells whether ``secrets`` are right, before there is a tenant that works with them."""
    catalogues = ShopCatalogues.open(http, secrets, database, clock, shopify_version)
    addresses = AddressExamination(http, secrets).group()
    chatwoot = ChatwootExamination(http, secrets, clock, None).group()
    tools = tool_groups(http, secrets, clock, catalogues)
    keys = key_groups(http, secrets, vision_url, language_model)
    return tuple(group.of_credentials() for group in (addresses, chatwoot, *tools, *keys))


def key_groups(
    http: HttpClient, secrets: SecretStore, vision_url: str, language_model: LanguageModel
) -> tuple[Group[Tenant], ...]:
    """Return the checks of what is asked outside for its wits: who reads photos, and who helps or is the brain."""
    return (
        VisionExamination(http, secrets, vision_url).group(),
        LlmExamination(secrets, language_model).group(),
        BotpressExamination(secrets, HttpBots(http)).group(),
    )


def tool_groups(
    http: HttpClient, secrets: SecretStore, clock: Clock, catalogues: ShopCatalogues
) -> tuple[Group[Tenant], ...]:
    """Return the checks of the systems that tools ask."""
    return (
        ShopifyExamination(catalogues).group(),
        UcpExamination(catalogues.ucp).group(),
        OdooExamination(OdooClient(http, secrets), clock).group(),
    )
