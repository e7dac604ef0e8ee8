"""A tenant's brain with a language model: which one, what it may cost, and what it has cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smarteros.domain.model import Model

LlmProvider = Literal["openai", "anthropic", "google"]
UsdPerMillion = Annotated[Decimal, Field(ge=0, le=10_000)]
# Of 1 US dollar; an answer of a small model costs less than a cent.
MICRO_USD_PER_USD = 1_000_000
MICRO_USD_PER_CENT = 10_000


class LlmPrice(Model):
    """What a model costs, in US dollars per million tokens."""

    input_usd_per_million: UsdPerMillion
    output_usd_per_million: UsdPerMillion


class LlmSettings(Model):
    """The language model of one tenant. Its key is the secret ``llm/api_key``, never in here.

    ``openai`` means any server that speaks OpenAI's chat completions, at ``base_url`` if it is not OpenAI's own. A
    month is one of Chile's calendar. At least one limit must be set; where several are, the tightest holds. A limit in
    pesos needs the rate the operator counts with. ``price`` outranks the price table; without a price known a limit in
    money lets no call through. ``timeout_ms`` is shortened to what the flow's promise leaves.
    """

    provider: LlmProvider
    model: str = Field(pattern=r"^[A-Za-z0-9][\w.:/@-]{0,99}$")
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s@?#]+[^\s@?#/]$")
    monthly_usd_cents: int | None = Field(default=None, ge=0)
    monthly_clp: int | None = Field(default=None, ge=0)
    clp_per_usd: int | None = Field(default=None, gt=0)
    monthly_tokens: int | None = Field(default=None, ge=0)
    price: LlmPrice | None = None
    timeout_ms: int = Field(default=4000, ge=100, le=20_000)
    max_output_tokens: int = Field(default=500, ge=50, le=4000)

    @model_validator(mode="after")
    def _is_limited(self) -> Self:
        if self.monthly_clp is not None and self.clp_per_usd is None:
            raise ValueError("monthly_clp needs clp_per_usd, the rate to count with")
        if self.monthly_usd_cents is None and self.monthly_clp is None and self.monthly_tokens is None:
            raise ValueError("set a limit: monthly_usd_cents, monthly_clp or monthly_tokens")
        return self

    @property
    def limit(self) -> SpendLimit:
        """The limits of a month in the units they are counted in."""
        in_money: list[int] = []
        if self.monthly_usd_cents is not None:
            in_money.append(self.monthly_usd_cents * MICRO_USD_PER_CENT)
        if self.monthly_clp is not None and self.clp_per_usd is not None:
            in_money.append(self.monthly_clp * MICRO_USD_PER_USD // self.clp_per_usd)
        return SpendLimit(micro_usd=min(in_money) if in_money else None, tokens=self.monthly_tokens)


class SpendLimit(Model):
    """The most that may be spent in a month: millionths of a US dollar, tokens of both kinds. None is no limit."""

    micro_usd: int | None = None
    tokens: int | None = None


class Spend(Model):
    """What was spent in a month, outstanding reservations included."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    micro_usd: int = 0
    tokens: int = 0
    calls: int = 0
