"""From the bytes of a photo or PDF to what the flow needs to know of the invoice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from smarteros.documents.extract import Extraction, extract
from smarteros.documents.guards import check_image, identify
from smarteros.documents.local import DocumentWorker, open_pdf_in
from smarteros.documents.protocol import OcrEngine, OcrPage
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading


@dataclass(frozen=True)
class DocumentReader:
    """Reads documents with the engine the tenant has chosen; PDFs are opened by ``worker``."""

    engine_of: Callable[[Tenant], OcrEngine]
    worker: DocumentWorker = field(default_factory=DocumentWorker)

    def read(self, tenant: Tenant, data: bytes) -> DocumentReading:
        """Read a document. One that is refused is a reading of confidence 0, as a photo nobody can read is.

        TransientError and ConfigError of a remote engine are raised.
        """
        try:
            return self.read_strictly(tenant, data)
        except RejectedInputError:
            return DocumentReading()

    def read_strictly(self, tenant: Tenant, data: bytes) -> DocumentReading:
        """Like ``read``, but a refused document is a RejectedInputError with the reason."""
        engine = self.engine_of(tenant)
        best: tuple[OcrPage, Extraction] | None = None
        for page in self._pages(engine, data):
            found = extract(page)
            if best is None or _rank(found) > _rank(best[1]):
                best = (page, found)
        return DocumentReading() if best is None else _reading(*best)

    def close(self) -> None:
        """End the worker."""
        self.worker.close()

    def _pages(self, engine: OcrEngine, data: bytes) -> Iterator[OcrPage]:
        if identify(data) != "application/pdf":
            check_image(data)
            yield engine.read(data)
            return
        for page in open_pdf_in(self.worker, data):
            if page.text is not None:
                yield page.text
            elif page.image is not None:
                yield engine.read(page.image)


def _rank(found: Extraction) -> tuple[bool, float, int]:
    return found.invoice_detected, found.confidence, len(found.fields)


def _reading(page: OcrPage, found: Extraction) -> DocumentReading:
    return DocumentReading(
        text=page.text,
        confidence=round(found.confidence, 4),
        invoice_detected=found.invoice_detected,
        fields=found.values,
    )
