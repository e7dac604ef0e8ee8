"""What a tenant may use: requests, conversations and money, by its tier and by what was agreed with it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from smarteros.domain.model import Model

Tier = Literal["free", "pro", "enterprise"]
LimitName = Literal[
    "requests_per_minute",      # customers' messages, and requests to the doors for programs, each by itself
    "conversations_per_month",  # conversations the bot has answered in, in a month of Chile's calendar
    "monthly_spend",            # language models and Cloud Vision together
]  # fmt: skip
Agreed = Annotated[int, Field(ge=0)] | Literal["unlimited"]


class Limits(Model):
    """The limits in force; None is no limit, for ``requests_per_minute`` it is the installation's own."""

    requests_per_minute: int | Literal["unlimited"] | None = None
    conversations_per_month: int | None = None
    monthly_usd_cents: int | None = None


# Conversations as in the first contracts (facts of the flows: "Tiers"). Money has a limit where one was agreed.
TIER_LIMITS: dict[Tier, Limits] = {
    "free": Limits(conversations_per_month=1_000),
    "pro": Limits(conversations_per_month=10_000),
    "enterprise": Limits(),
}


class AgreedLimits(Model):
    """What a tenant's own agreement says in the place of its tier; None leaves the tier's."""

    requests_per_minute: Annotated[int, Field(ge=1)] | Literal["unlimited"] | None = None
    conversations_per_month: Agreed | None = None
    monthly_usd_cents: Agreed | None = None

    def over(self, tier: Tier) -> Limits:
        """Return the limits in force for a tenant of this tier."""
        common = TIER_LIMITS[tier]
        return Limits(
            requests_per_minute=self.requests_per_minute or common.requests_per_minute,
            conversations_per_month=_either(self.conversations_per_month, common.conversations_per_month),
            monthly_usd_cents=_either(self.monthly_usd_cents, common.monthly_usd_cents),
        )


def _either(agreed: Agreed | None, common: int | None) -> int | None:
    if agreed is None:
        return common
    return None if agreed == "unlimited" else agreed
