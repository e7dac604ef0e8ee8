"""What an operator says of a shop that is to be taken on, or changed: its settings and its keys."""

from __future__ import annotations

import json
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from smarteros.domain.botpress import BotpressSettings
from smarteros.domain.errors import ConfigError
from smarteros.domain.ids import TENANT_ID
from smarteros.domain.limits import AgreedLimits, Tier
from smarteros.domain.llm import LlmSettings
from smarteros.domain.model import Model
from smarteros.domain.tenants import OcrPolicy, Orchestration, ShopDoor, SignatureMode, Tenant
from smarteros.domain.upkeep import UpkeepSettings
from smarteros.kit.rut import canonical_rut
from smarteros.secrets.importing import read_secrets

# Settings of a tenant that an application says as they are; the others follow from it or from Chatwoot's answers.
_SETTINGS = (
    "name", "rut", "tone", "language", "tier", "chatwoot_url", "signature_mode", "attachment_hosts", "shopify_url",
    "shop_door", "odoo_company_id", "odoo_database", "ocr_engine", "llm", "botpress", "vision_monthly_usd_cents",
    "limits", "status_page", "kb", "orchestration", "n8n_webhook_url",
)  # fmt: skip


class Application(Model):
    """A shop in the operator's words. What is not said stays as it is when the shop is a tenant already.

    ``tenant_id`` is by default made of the RUT. ``starts_open`` lists the inboxes that get no agent bot (see
    ``domain.tenants.InboxSettings``). ``secrets`` are values by path; ``chatwoot/user_token`` is an administrator's.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    tenant_id: str = Field(pattern=TENANT_ID.pattern)
    name: str = Field(min_length=1, max_length=200)
    rut: str
    tone: str = Field(default="", max_length=500)
    language: Literal["es-CL", "en"] = "es-CL"
    tier: Tier = "free"
    chatwoot_url: str
    account_id: int = Field(ge=1, le=2**53)
    starts_open: tuple[int, ...] = ()
    signature_mode: SignatureMode = "v1"
    attachment_hosts: tuple[str, ...] = ()
    shopify_url: str | None = None
    shop_door: ShopDoor = "admin"
    odoo_company_id: int | None = None
    odoo_database: str | None = None
    ocr_engine: OcrPolicy = "local"
    vision_monthly_usd_cents: int | None = Field(default=None, ge=0)
    llm: LlmSettings | None = None
    botpress: BotpressSettings | None = None
    limits: AgreedLimits = AgreedLimits()
    status_page: bool = False
    kb: UpkeepSettings = UpkeepSettings()
    orchestration: Orchestration = "smarteros"
    n8n_webhook_url: str | None = None
    secrets: dict[str, str] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _id_of_rut(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        said = cast("dict[str, Any]", given)
        rut = canonical_rut(str(said.get("rut")))
        if "tenant_id" in said or rut is None:
            return said
        return {**said, "tenant_id": f"TENANT_RUT_{rut.partition('-')[0]}"}

    @field_validator("rut")
    @classmethod
    def _valid_rut(cls, value: str) -> str:
        rut = canonical_rut(value)
        if rut is None:
            raise ValueError("is not a valid RUT (its check digit is wrong)")
        return rut

    @field_validator("chatwoot_url", "shopify_url", "n8n_webhook_url")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment or url.username:
            raise ValueError("is not an address like https://chat.example.cl")
        return value.rstrip("/")

    def tenant(self, known: Tenant | None, tenant_key: str) -> Tenant:
        """Return the tenant this makes of a shop, without inboxes, or of the one that is ``known`` already."""
        said = {name: getattr(self, name) for name in _SETTINGS if known is None or name in self.model_fields_set}
        if known is None:
            own = {"tenant_id": self.tenant_id, "tenant_key": tenant_key, "chatwoot_account_ids": (self.account_id,)}
            return Tenant.model_validate({**said, **own})
        accounts = known.chatwoot_account_ids
        if self.account_id not in accounts:
            accounts = (self.account_id, *accounts)
        return Tenant.model_validate({**known.model_dump(), **said, "chatwoot_account_ids": accounts})


def read_object(text: str) -> dict[str, Any]:
    """Read the JSON of an application. ConfigError(code ``application_invalid``) when it is no object."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError("application_invalid", "The file is not JSON.") from None
    if not isinstance(given, dict):
        raise ConfigError("application_invalid", "The file must hold one JSON object.")
    return cast("dict[str, Any]", given)


def application(given: dict[str, Any]) -> Application:
    """Check an application. ``secrets`` are in any form ``smos secrets import`` takes.

    Raises ConfigError: ``application_invalid`` with everything that is amiss, and what ``read_secrets`` raises.
    """
    keys: Any = given.get("secrets") or {}
    if not isinstance(keys, dict):
        raise ConfigError("application_invalid", "secrets: must be an object.")
    found = read_secrets(json.dumps(keys))
    if found.unknown:
        raise ConfigError("application_invalid", f"secrets: nobody here knows {', '.join(found.unknown)}.")
    try:
        return Application.model_validate({**given, "secrets": found.values})
    except ValidationError as error:
        raise ConfigError("application_invalid", "; ".join(_amiss(error)) + ".") from None


def _amiss(error: ValidationError) -> list[str]:
    said: list[str] = []
    found = error.errors(include_input=False, include_url=False)
    no_rut = any(each["loc"] == ("rut",) for each in found)
    for each in found:
        if no_rut and (each["loc"], each["type"]) == (("tenant_id",), "missing"):
            continue  # it is made of the RUT
        name = ".".join(str(part) for part in each["loc"]) or "application"
        what = "is missing" if each["type"] == "missing" else each["msg"].removeprefix("Value error, ")
        said.append(f"{name} {what}" if what.startswith("is ") else f"{name}: {what}")
    return said
