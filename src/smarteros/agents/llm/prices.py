"""What a call costs: the tenant's own price, or the table's."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from smarteros.domain.llm import LlmPrice, LlmSettings


@cache
def _table() -> dict[tuple[str, str], LlmPrice]:
    raw: dict[str, Any] = yaml.safe_load(
        files("smarteros.agents.llm").joinpath("data", "prices.yml").read_text("utf-8")
    )
    return {
        (row["provider"], row["model"]): LlmPrice(
            input_usd_per_million=Decimal(row["input"]), output_usd_per_million=Decimal(row["output"])
        )
        for row in raw["models"]
    }


def price_of(settings: LlmSettings) -> LlmPrice | None:
    """Return the price that holds for a tenant's model; None when nobody knows it.

    The table's prices are those of the providers themselves: at another ``base_url`` only an own price holds.
    """
    if settings.price is not None or settings.base_url is not None:
        return settings.price
    return _table().get((settings.provider, settings.model))


def cost_micro_usd(price: LlmPrice | None, input_tokens: int, output_tokens: int) -> int:
    """Return the cost in millionths of a dollar, rounded up; 0 without a price.

    A dollar per million tokens is a millionth of a dollar per token.
    """
    if price is None:
        return 0
    return math.ceil(input_tokens * price.input_usd_per_million + output_tokens * price.output_usd_per_million)
