"""The arithmetic of warranty and returns: pure functions of Chilean calendar days, the same for every ERP.

Sources, Ley 19.496 on the protection of consumers:

- Articles 20 and 21, the legal guarantee: whoever bought something new that fails may choose between replacement,
  repair and the money back, within six months of receiving it; within three for purchases before Ley 21.398, which
  was published on 24 December 2021. (SERNAC applied the longer term to purchases from 24 March 2022 on; of the two
  days the earlier one is taken here: a right is rather left standing than denied.) A shop's own warranty counts where
  it is longer (article 21) and never instead.
- Article 3 bis, the right of withdrawal: ten days from receiving a thing that was bought at a distance or unseen.
  Whether a sale was one is not in an invoice, so it is the caller who knows.

An invoice tells the day of purchase, not of delivery: it stands in for it, and every last day given here is one on
which the right certainly still holds; delivery can only make it later.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Literal

from smarteros.domain.model import Model

LEGAL_GUARANTEE_MONTHS = 6
OLD_LEGAL_GUARANTEE_MONTHS = 3
SIX_MONTHS_SINCE = date(2021, 12, 24)
WITHDRAWAL_DAYS = 10


class WarrantyTerms(Model):
    """What a purchase still entitles to on a given day. All dates are the last day on which the right holds."""

    warranty_expiration: date
    warranty_status: Literal["active", "expired"]
    legal_guarantee_until: date
    return_eligible: bool
    return_deadline: date


def warranty_terms(
    purchase: date, today: date, *, warranty_days: int, return_days: int, at_a_distance: bool = False
) -> WarrantyTerms:
    """Apply a shop's policy, in days, and the law to a purchase.

    ``today`` is the customer's Chilean day. A purchase of tomorrow (an invoice dated ahead) has all its rights.
    ``at_a_distance`` adds the right of withdrawal to what the shop gives. ValueError for negative days.
    """
    if warranty_days < 0 or return_days < 0:
        raise ValueError("a period of a policy has fewer than 0 days")
    warranty_expiration = _later(purchase, warranty_days)
    return_deadline = _later(purchase, max(return_days, WITHDRAWAL_DAYS) if at_a_distance else return_days)
    return WarrantyTerms(
        warranty_expiration=warranty_expiration,
        warranty_status="active" if today <= warranty_expiration else "expired",
        legal_guarantee_until=legal_guarantee_until(purchase),
        return_eligible=today <= return_deadline,
        return_deadline=return_deadline,
    )


def legal_guarantee_until(purchase: date) -> date:
    """Return the last day of the legal guarantee of something bought new."""
    months = LEGAL_GUARANTEE_MONTHS if purchase >= SIX_MONTHS_SINCE else OLD_LEGAL_GUARANTEE_MONTHS
    return add_months(purchase, months)


def add_months(day: date, months: int) -> date:
    """Return the day with the same number some months later, or that month's last day when it has no such day.

    This is how Chilean law counts terms in months (Civil Code, article 48).
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year > date.max.year:
        return date.max
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _later(day: date, days: int) -> date:
    """Some days later; the end of the calendar for a policy that means "for ever"."""
    return day + timedelta(days=min(days, (date.max - day).days))
