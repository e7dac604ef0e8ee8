"""What Cloud Vision costs each tenant: images by month, and a limit after which this machine reads.

Google bills it (``domain.vision``) to the account of the tenant's own key. An image is counted before it is sent and
taken back when Vision has not read it; what runs while the service is killed stays counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from smarteros.documents.protocol import OcrEngine, OcrPage
from smarteros.domain.errors import PermanentError, SmosError
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.domain.vision import FREE_IMAGES, MICRO_USD_PER_IMAGE
from smarteros.kit.clock import Clock, SystemClock, month_in_chile
from smarteros.store.database import Database
from smarteros.store.spend import NO_CAP, SpendCap
from smarteros.store.vision_tables import vision_months

_MICRO_USD_PER_CENT = 10_000
_log = structlog.get_logger()


def images_within(usd_cents: int) -> int:
    """The most images that cost at most so many cents a month: with 0 the free ones."""
    return FREE_IMAGES + usd_cents * _MICRO_USD_PER_CENT // MICRO_USD_PER_IMAGE


class VisionBooks(Protocol):
    """Images by tenant and month (of Chile's calendar: ``2026-11``)."""

    def take(self, scope: TenantScope, month: str, most: int | None) -> bool:
        """Count one more image unless the month then has more than ``most``; tells whether it was counted."""
        ...

    def give_back(self, scope: TenantScope, month: str) -> None:
        """Take one image back that Vision has not read after all."""
        ...

    def images(self, scope: TenantScope, month: str) -> int:
        """How many images a month has so far."""
        ...


@dataclass(frozen=True)
class PostgresVisionBooks:
    """VisionBooks over the table ``vision_months``: a limit holds for all processes of the installation together."""

    database: Database
    cap: SpendCap = NO_CAP

    def take(self, scope: TenantScope, month: str, most: int | None) -> bool:
        """Count one more image; the row is locked by the update, so two processes cannot both take the last."""
        table = vision_months.c
        first = insert(vision_months).values(tenant_id=scope.tenant_id, month=month)
        fits = () if most is None else (table.images < most,)
        taken = (
            sa.update(vision_months)
            .where(table.tenant_id == scope.tenant_id, table.month == month, *fits)
            .values(images=table.images + 1)
        )
        with self.database.tenant(scope) as connection:
            allowed = self.cap.allows(connection, scope, month, images=1)
            if allowed:
                connection.execute(first.on_conflict_do_nothing())
                allowed = connection.execute(taken).rowcount == 1
        if not allowed:
            self.cap.reached(scope)
        return allowed

    def give_back(self, scope: TenantScope, month: str) -> None:
        """Take one image back."""
        table = vision_months.c
        less = sa.update(vision_months).where(table.tenant_id == scope.tenant_id, table.month == month)
        with self.database.tenant(scope) as connection:
            connection.execute(less.values(images=table.images - 1))

    def images(self, scope: TenantScope, month: str) -> int:
        """How many images a month has so far."""
        table = vision_months.c
        asked = sa.select(table.images).where(table.tenant_id == scope.tenant_id, table.month == month)
        with self.database.tenant(scope) as connection:
            return connection.execute(asked).scalar_one_or_none() or 0


@dataclass(frozen=True)
class BilledOcrEngine:
    """A tenant's Cloud Vision within its ``vision_monthly_usd_cents``.

    Beyond it ``instead`` reads; without one a PermanentError (``vision_limit_reached``) says so.
    """

    engine: OcrEngine
    books: VisionBooks
    tenant: Tenant
    instead: OcrEngine | None = None
    now_month: Callable[[], str] = field(default_factory=lambda: month_by(SystemClock()))

    def read(self, image: bytes) -> OcrPage:
        """Read an image, and count it when Vision has read it."""
        cents = self.tenant.vision_monthly_usd_cents
        month = self.now_month()
        if not self.books.take(self.tenant.scope, month, None if cents is None else images_within(cents)):
            _log.warning("vision_limit_reached", tenant=self.tenant.tenant_id, month=month)
            if self.instead is None:
                raise PermanentError("vision_limit_reached", f"the limit of {month} for Cloud Vision is reached")
            return self.instead.read(image)
        try:
            return self.engine.read(image)
        except SmosError:
            self.books.give_back(self.tenant.scope, month)
            raise


def month_by(clock: Clock) -> Callable[[], str]:
    """The present month of Chile's calendar, whenever it is asked."""
    return lambda: month_in_chile(clock.now())
