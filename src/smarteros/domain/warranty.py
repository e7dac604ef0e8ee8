"""The arithmetic of warranty and returns: pure functions of days, the same for every ERP."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Literal

from smarteros.domain.model import Model

LEGAL_GUARANTEE_MONTHS = 6
"""Chile's legal guarantee: six months (Law 19.496 as amended by Law 21.398). A shop may promise more, not less."""


class WarrantyTerms(Model):
    """What a purchase still entitles to on a given day. All dates are the last day on which the right holds."""

    warranty_expiration: date
    warranty_status: Literal["active", "expired"]
    legal_guarantee_until: date
    return_eligible: bool
    return_deadline: date


def warranty_terms(purchase: date, today: date, *, warranty_days: int, return_days: int) -> WarrantyTerms:
    """Apply a shop's policy to a purchase.

    The law counts from the day of delivery, which an invoice does not tell: the purchase day stands in for it and
    never promises more than the law gives.
    """
    warranty_expiration = purchase + timedelta(days=warranty_days)
    return_deadline = purchase + timedelta(days=return_days)
    return WarrantyTerms(
        warranty_expiration=warranty_expiration,
        warranty_status="active" if today <= warranty_expiration else "expired",
        legal_guarantee_until=add_months(purchase, LEGAL_GUARANTEE_MONTHS),
        return_eligible=today <= return_deadline,
        return_deadline=return_deadline,
    )


def add_months(day: date, months: int) -> date:
    """Return the day with the same number some months later, or that month's last day when it has no such day.

    This is how Chilean law counts terms in months (Civil Code, article 48).
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
