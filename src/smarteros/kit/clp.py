"""Chilean pesos: whole numbers, a dot between thousands."""

from __future__ import annotations


def format_clp(amount: int) -> str:
    """Write an amount of whole pesos as people in Chile do: 39990 becomes ``$39.990``."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,}".replace(",", ".")
