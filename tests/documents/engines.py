"""Engines that say what a test wants, shops that use them, and books that are forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from smarteros.documents.fallback import OcrEngines, confidence_of
from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.domain.errors import ConfigError, PermanentError, TransientError
from smarteros.domain.tenants import Tenant, TenantScope

ROWS = ("BOLETA ELECTRÓNICA", "N° 48213", "Fecha: 09/02/2026", "Producto: Polera Maule", "TOTAL $ 15.990")


def page(*rows: str, confidence: float = 0.98) -> OcrPage:
    lines = [OcrLine(text=r, confidence=confidence, box=(0, n * 40, 400, n * 40 + 30)) for n, r in enumerate(rows)]
    return OcrPage(lines=tuple(lines), width=400, height=900)


SURE, UNSURE, NOTHING = page(*ROWS), page(*ROWS, confidence=0.5), page()


@dataclass
class SaysEngine:
    """Gives its answers one after the other, and the last one for ever."""

    answers: list[OcrPage | Exception]
    asked: int = 0

    def read(self, image: bytes) -> OcrPage:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def says(*answers: OcrPage | Exception) -> SaysEngine:
    return SaysEngine(list(answers))


AWAY = [
    TransientError("vision_unavailable", "quota"),
    PermanentError("vision_failed", "gone"),
    ConfigError("vision_key_refused", "refused"),
]


class MemoryVisionBooks:
    """VisionBooks that forget everything when the test ends."""

    def __init__(self) -> None:
        self._images: Counter[tuple[str, str]] = Counter()

    def take(self, scope: TenantScope, month: str, most: int | None) -> bool:
        fits = most is None or self._images[scope.tenant_id, month] < most
        self._images[scope.tenant_id, month] += fits
        return fits

    def give_back(self, scope: TenantScope, month: str) -> None:
        self._images[scope.tenant_id, month] -= 1

    def images(self, scope: TenantScope, month: str) -> int:
        return self._images[scope.tenant_id, month]


@dataclass
class Shops:
    local: SaysEngine
    cloud: SaysEngine
    clouds_made: list[str] = field(default_factory=list[str])
    books: MemoryVisionBooks = field(default_factory=MemoryVisionBooks)

    def engines(self) -> OcrEngines:
        def cloud_of(tenant: Tenant) -> SaysEngine:
            self.clouds_made.append(tenant.tenant_id)
            return self.cloud

        return OcrEngines(self.local, cloud_of, confidence_of, self.books)


def shop(policy: str, tenant_id: str = "TENANT_AROMO") -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name="Tienda Aromo SpA",
        rut="76123456-0",
        tenant_key="k" * 24,
        chatwoot_url="https://chat.aromo.example",
        chatwoot_account_ids=(31,),
        ocr_engine=policy,  # pyright: ignore[reportArgumentType]
    )
