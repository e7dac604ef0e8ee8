"""One limit over everything a tenant pays by use: its language model and Cloud Vision together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from smarteros.domain.llm import MICRO_USD_PER_CENT
from smarteros.domain.tenants import TenantScope
from smarteros.domain.vision import cost_of
from smarteros.store.statements import run

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('spend:' || %(tenant_id)s, 0))"
_SPENT = """
SELECT coalesce((SELECT micro_usd FROM smos.llm_spend WHERE tenant_id = %(tenant_id)s AND month = %(month)s), 0)
         AS micro_usd,
       coalesce((SELECT images FROM smos.vision_months WHERE tenant_id = %(tenant_id)s AND month = %(month)s), 0)
         AS images
"""


def _unlimited(_: TenantScope) -> int | None:
    return None


def _nobody(_: TenantScope) -> None:
    return None


@dataclass(frozen=True)
class SpendCap:
    """The limit of a month. ``cents_of`` tells a tenant's, in US cents; ``reached`` is told when it refuses."""

    cents_of: Callable[[TenantScope], int | None] = _unlimited
    reached: Callable[[TenantScope], None] = _nobody

    def allows(
        self, connection: sa.Connection, scope: TenantScope, month: str, *, micro_usd: int = 0, images: int = 0
    ) -> bool:
        """Tell whether so much more still fits into the month.

        Until the transaction ends nobody else may ask for the same tenant, so that of two purchases which fit only
        alone one is refused; write the purchase down in it.
        """
        cents = self.cents_of(scope)
        if cents is None:
            return True
        run(connection, _ONE_AT_A_TIME, {"tenant_id": scope.tenant_id})
        row = run(connection, _SPENT, {"tenant_id": scope.tenant_id, "month": month}).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        total = int(row.micro_usd) + micro_usd + cost_of(int(row.images) + images)
        # What costs nothing (an image of the free thousand) is no spending.
        costs = micro_usd + cost_of(int(row.images) + images) - cost_of(int(row.images))
        return costs == 0 or total <= cents * MICRO_USD_PER_CENT


NO_CAP = SpendCap()
