"""A tenant is one business. Whatever belongs to it is reached through its TenantScope only."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smarteros.domain.botpress import BotpressSettings
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import TENANT_ID
from smarteros.domain.limits import AgreedLimits, Limits, Tier
from smarteros.domain.llm import LlmSettings
from smarteros.domain.messages import FirstStatus
from smarteros.domain.model import Model
from smarteros.domain.upkeep import UpkeepSettings

SignatureMode = Literal["v1", "legacy", "both"]
# How a shop is asked: by its Admin API, with credentials, or as any visitor's agent at its UCP endpoint, without.
ShopDoor = Literal["admin", "ucp"]
# Two names: the second engine reads when the first is away (vision_then_local) or not sure (local_then_vision).
OcrPolicy = Literal["local", "vision", "vision_then_local", "local_then_vision"]
# Who leads a turn through its steps: our own workers, or n8n by its workflows, over the same steps (docs/n8n.md).
Orchestration = Literal["smarteros", "n8n"]
TenantState = Literal["active", "suspended", "leaving", "moved"]
# Code of every refusal of a tenant that is suspended, and reason of the turns it had waiting.
TENANT_SUSPENDED = "tenant_suspended"
# Code of what is refused for a tenant that moves, or has moved, to an installation of its own.
TENANT_MOVED = "tenant_moved"


class TenantScope(Model):
    """Proof of whose data is being touched. Every read and write of tenant data takes one."""

    tenant_id: str = Field(pattern=TENANT_ID.pattern)


class InboxSettings(Model):
    """One Chatwoot inbox of the tenant.

    ``starts`` is the status its conversations begin in: ``pending`` where an agent bot is connected to the inbox, and
    an open conversation is a person's; ``open`` where the account's webhook is used without one, and only other signs
    tell that a person leads (docs/turns.md, "Inboxes that start open").
    """

    inbox_id: int
    channel: Literal["whatsapp", "webwidget", "email"]
    starts: FirstStatus = "pending"


class Move(Model):
    """Where a tenant goes, or has gone: another installation of this code (docs/dedicated.md).

    ``to`` is the address at which Chatwoot reaches that one, without trailing slash. While a move is not ``done`` the
    tenant's webhooks are kept; afterwards they are kept and passed on.
    """

    to: str
    done: bool = False

    def refusal(self, tenant_id: str) -> RejectedInputError:
        """Make the one error of whoever would change such a tenant here: it says where to."""
        state = "lives in" if self.done else "is moving to"
        return RejectedInputError(
            TENANT_MOVED, f"{tenant_id} {state} {self.to}: change it there (docs/dedicated.md).", status=409
        )


class Tenant(Model):
    """Settings of one tenant; secrets are never in here, they are read from the SecretStore by path.

    ``chatwoot_url`` has no trailing slash. ``tenant_key`` is the unguessable part of the webhook URL.
    """

    tenant_id: str = Field(pattern=TENANT_ID.pattern)
    name: str
    rut: str
    tenant_key: str = Field(min_length=16)
    tone: str = ""
    language: Literal["es-CL", "en"] = "es-CL"
    tier: Tier = "free"
    active: bool = True
    move: Move | None = Field(default=None, description="Set when it moves or has moved to another installation")
    chatwoot_url: str
    chatwoot_account_ids: tuple[int, ...]
    inboxes: tuple[InboxSettings, ...] = ()
    signature_mode: SignatureMode = "v1"
    attachment_hosts: tuple[str, ...] = ()
    shopify_url: str | None = Field(default=None, description="Base URL override, for the stand-in")
    shop_door: ShopDoor = Field(default="admin", description="How its shop is asked; ucp needs no credentials")
    odoo_company_id: int | None = None
    odoo_database: str | None = None
    ocr_engine: OcrPolicy = "local"
    vision_monthly_usd_cents: int | None = Field(
        default=None, ge=0, description="Most that Cloud Vision may cost in a month; then this machine reads"
    )
    limits: AgreedLimits = Field(
        default=AgreedLimits(), description="What was agreed in the place of the tier's limits"
    )
    orchestration: Orchestration = "smarteros"
    n8n_webhook_url: str | None = Field(
        default=None, description="Where its Chatwoot sends webhooks when n8n leads; unset means that it is not told"
    )
    retention_days: int | None = Field(
        default=None, ge=1, le=3650, description="Days after which what customers wrote is removed; unset keeps it"
    )
    status_page: bool = Field(default=False, description="Whether anybody with its address may see how we are doing")
    kb: UpkeepSettings = Field(default=UpkeepSettings(), description="How its texts are kept up to date")
    llm: LlmSettings | None = Field(default=None, description="Brain with a language model; unset means the native one")
    botpress: BotpressSettings | None = Field(
        default=None, description="Its own bot at Botpress as its brain; where set, ``llm`` is not asked"
    )

    def require_at_home(self) -> None:
        """Refuse to be changed when it is another installation's. RejectedInputError(code ``tenant_moved``)."""
        if self.move is not None:
            raise self.move.refusal(self.tenant_id)

    @property
    def scope(self) -> TenantScope:
        """The scope of this tenant's own data."""
        return TenantScope(tenant_id=self.tenant_id)

    @property
    def state(self) -> TenantState:
        """Whether this installation answers for the tenant, and why not."""
        if self.move is not None:
            return "moved" if self.move.done else "leaving"
        return "active" if self.active else "suspended"

    @property
    def may_use(self) -> Limits:
        """The limits in force: what was agreed with the tenant, else its tier's."""
        return self.limits.over(self.tier)

    def starts(self, inbox_id: int | None) -> FirstStatus:
        """The status an inbox's conversations begin in; of an inbox without settings an open one is a person's."""
        found: FirstStatus | None = next((inbox.starts for inbox in self.inboxes if inbox.inbox_id == inbox_id), None)
        return found or "pending"

    @property
    def workspace_id(self) -> str:
        """Id of the tenant's workspace in the agent API (agents, KB and model belong to it)."""
        return f"ws_{self.tenant_id.lower()}"
