"""From the bytes of a photo or PDF to what the flow needs to know of the invoice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from smarteros.documents.extract import extract
from smarteros.documents.guards import check_image, identify
from smarteros.documents.local import DocumentWorker, SoughtTimbre, jpeg_in, open_pdf_in, timbre_in
from smarteros.documents.merge import ReadPage, merge
from smarteros.documents.protocol import OcrEngine
from smarteros.documents.reading import DocumentResult
from smarteros.documents.timbre.verify import TimbreVerifier
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import DocumentReading

DOCUMENT_SECONDS = 20.0  # by the clock, for all pages; as long as one page may take on a busy machine


@dataclass(frozen=True)
class DocumentReader:
    """Reads documents with the engine the tenant has chosen; what is decoded is decoded by ``worker``.

    ``verifier`` judges timbres: by SII's keys, unless a test brings its own. ``catalogue_of`` gives the names of the
    shop's products, which settle how a product is spelled; it never raises. ``clock`` is monotonic seconds: after
    ``DOCUMENT_SECONDS`` no further page is begun.
    """

    engine_of: Callable[[Tenant], OcrEngine]
    worker: DocumentWorker = field(default_factory=DocumentWorker)
    verifier: TimbreVerifier = field(default_factory=TimbreVerifier)
    catalogue_of: Callable[[Tenant], Sequence[str]] = lambda _tenant: ()
    clock: Callable[[], float] = time.monotonic

    def read(self, tenant: Tenant, data: bytes) -> DocumentReading:
        """Read a document. One that is refused is a reading of confidence 0, as a photo nobody can read is.

        TransientError and ConfigError of a remote engine are raised.
        """
        try:
            return self.read_strictly(tenant, data)
        except RejectedInputError:
            return DocumentReading(advice="clearer_photo")

    def read_strictly(self, tenant: Tenant, data: bytes) -> DocumentReading:
        """Like ``read``, but a refused document is a RejectedInputError with the reason."""
        return self.result(
            data, self.engine_of(tenant), tenant_rut=tenant.rut, catalogue=self.catalogue_of(tenant)
        ).for_flow()

    def result(
        self, data: bytes, engine: OcrEngine, *, tenant_rut: str | None = None, catalogue: Sequence[str] = ()
    ) -> DocumentResult:
        """All that can be known of a document. RejectedInputError with the reason when it is refused."""
        pages = list(self._pages(engine, data, catalogue))
        return merge(pages, self.verifier, tenant_rut=tenant_rut, catalogue=catalogue)

    def close(self) -> None:
        """End the worker."""
        self.worker.close()

    def _pages(self, engine: OcrEngine, data: bytes, catalogue: Sequence[str]) -> Iterator[ReadPage]:
        kind = identify(data)
        if kind != "application/pdf":
            if kind == "image/heic":
                data = jpeg_in(self.worker, data)
            yield self._read_picture(engine, data, catalogue, 1)
            return
        until = self.clock() + DOCUMENT_SECONDS
        for number, page in enumerate(open_pdf_in(self.worker, data), start=1):
            if number > 1 and self.clock() >= until:
                return
            if page.text is not None:
                # The text is exact; the picture is asked for the timbre only.
                timbre = timbre_in(self.worker, page.image) if page.image is not None else SoughtTimbre()
                yield ReadPage(page.text, extract(page.text, catalogue=catalogue), timbre, "pdf_text", number, page.of)
            elif page.image is not None:
                yield self._read_picture(engine, page.image, catalogue, number, page.of)

    def _read_picture(
        self, engine: OcrEngine, data: bytes, catalogue: Sequence[str], number: int, of: int = 1
    ) -> ReadPage:
        check_image(data)
        timbre = timbre_in(self.worker, data)
        page = engine.read(data)
        return ReadPage(page, extract(page, catalogue=catalogue), timbre, "ocr", number, of)
