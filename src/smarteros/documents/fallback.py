"""Two engines, by the shop's policy: the second reads when the first is away, or is not sure of what it read.

``vision_then_local`` stays answerable without the cloud; ``local_then_vision`` pays for the cloud only where the
local engine found no invoice it can be sure of.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from smarteros.documents.extract import extract
from smarteros.documents.protocol import OcrEngine, OcrPage
from smarteros.documents.vision_books import BilledOcrEngine, VisionBooks
from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import TRUSTED_CONFIDENCE
from smarteros.observability.metrics import OCR_PAGES

MOST_FAILURES = 3
REST_SECONDS = 60.0
_AWAY = (TransientError, PermanentError, ConfigError)
_log = structlog.get_logger()


@dataclass
class Rest:
    """An engine that failed some times in a row is left alone for a while: customers would wait for nothing."""

    clock: Callable[[], float] = time.monotonic
    _failures: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def resting(self) -> bool:
        """Whether the engine is not to be asked now."""
        with self._lock:
            return self.clock() < self._until

    def worked(self) -> None:
        """Remember that it answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """Remember that it did not; one more failure after a rest starts the next rest."""
        with self._lock:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                self._until = self.clock() + REST_SECONDS


@dataclass(frozen=True)
class FallbackOcrEngine:
    """Asks ``first``, and ``second`` when that is away or, by ``confidence_of`` a page, not sure.

    ``confidence_of`` None asks the second engine only when the first is away. An image the first refuses is refused:
    what breaks one decoder is not tried on the next.
    """

    first: OcrEngine
    second: OcrEngine
    confidence_of: Callable[[OcrPage], float] | None = None
    rest: Rest = field(default_factory=Rest)

    def read(self, image: bytes) -> OcrPage:
        """Read an image; raises what the second engine raises when the first could not help either."""
        if self.rest.resting:
            return self.second.read(image)
        try:
            page = self.first.read(image)
        except RejectedInputError:
            raise
        except _AWAY as error:
            self.rest.failed()
            # A refused key does not heal by itself: the customer is answered, and the operator must hear of it.
            (_log.error if isinstance(error, ConfigError) else _log.warning)("ocr_fell_back", reason=error.code)
            return self.second.read(image)
        self.rest.worked()
        return self._surer(page, image)

    def _surer(self, page: OcrPage, image: bytes) -> OcrPage:
        if self.confidence_of is None or self.confidence_of(page) >= TRUSTED_CONFIDENCE:
            return page
        try:
            other = self.second.read(image)
        except SmosError as error:
            _log.warning("ocr_second_opinion_failed", reason=error.code)
            return page
        return other if self.confidence_of(other) > self.confidence_of(page) else page


def confidence_of(page: OcrPage) -> float:
    """How sure the fields of an invoice on a page are; 0 where none was found."""
    found = extract(page)
    return found.confidence if found.invoice_detected else 0.0


class OcrEngines:
    """The engine of each shop.

    ``cloud_of`` makes a shop's cloud engine, which reads within the shop's limit by ``books``; ``confidence_of``
    judges a page read.
    """

    def __init__(
        self,
        local: OcrEngine,
        cloud_of: Callable[[Tenant], OcrEngine],
        confidence_of: Callable[[OcrPage], float],
        books: VisionBooks,
    ) -> None:
        self._local = local
        self._cloud_of = cloud_of
        self._confidence_of = confidence_of
        self._books = books
        self._rests: dict[str, Rest] = {}

    def of(self, tenant: Tenant) -> OcrEngine:
        """Return the engine by the shop's setting ``ocr_engine``."""
        local = _Counted(self._local, tenant.tenant_id, "local")
        if tenant.ocr_engine == "local":
            return local
        cloud = _Counted(self._cloud_of(tenant), tenant.tenant_id, "vision")
        if tenant.ocr_engine == "local_then_vision":  # beyond the limit the first opinion counts
            return FallbackOcrEngine(local, BilledOcrEngine(cloud, self._books, tenant), self._confidence_of)
        within_limit = BilledOcrEngine(cloud, self._books, tenant, instead=local)
        if tenant.ocr_engine == "vision":
            return within_limit
        return FallbackOcrEngine(within_limit, local, rest=self._rests.setdefault(tenant.tenant_id, Rest()))


@dataclass(frozen=True)
class _Counted:
    """An engine whose pages are counted by shop."""

    engine: OcrEngine
    tenant_id: str
    name: str

    def read(self, image: bytes) -> OcrPage:
        outcome = "failed"
        try:
            page = self.engine.read(image)
            outcome = "read"
        except RejectedInputError:
            outcome = "refused"
            raise
        finally:
            OCR_PAGES.labels(self.tenant_id, self.name, outcome).inc()
        return page
