"""What every OcrEngine must do. The local engine reads pixels; Vision is run over its stand-in on loopback."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from tests.support import MemorySecrets, serving

from smarteros.documents.extract import extract
from smarteros.documents.fallback import FallbackOcrEngine, confidence_of
from smarteros.documents.local import DocumentWorker, LocalOcrEngine
from smarteros.documents.protocol import OcrEngine, OcrPage
from smarteros.documents.vision import VisionOcrEngine
from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.shops.render import render_invoice
from smarteros_sandbox.vision import create_vision_app


@pytest.fixture(scope="module")
def shop() -> DemoShop:
    return load_shops(date(2025, 11, 17))[0]


@pytest.fixture(scope="module")
def local() -> Iterator[LocalOcrEngine]:
    engine = LocalOcrEngine(DocumentWorker(job_seconds=60))  # the models may load on a busy machine
    yield engine
    engine.close()


@dataclass
class ReadOnce:
    """The local engine: the same pixels give the same page, so each picture is read once for all tests."""

    engine: OcrEngine
    pages: dict[bytes, OcrPage] = field(default_factory=dict)

    def read(self, image: bytes) -> OcrPage:
        if image not in self.pages:
            self.pages[image] = self.engine.read(image)
        return self.pages[image]


@pytest.fixture(scope="module")
def read_once(local: LocalOcrEngine) -> ReadOnce:
    return ReadOnce(local)


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def vision_url(faults: Faults) -> Iterator[str]:
    app = create_vision_app(load_shops(date(2025, 11, 17)), faults)
    with serving(app) as url:
        yield url


@pytest.fixture
def vision(vision_url: str, shop: DemoShop) -> Iterator[VisionOcrEngine]:
    http = HttpClient(default_timeout_s=5)
    secrets = MemorySecrets({(shop.spec.tenant_id, "ocr/api_key"): shop.spec.vision_api_key})
    scope = TenantScope(tenant_id=shop.spec.tenant_id)
    yield VisionOcrEngine(http, secrets, scope, vision_url, sleep=lambda _seconds: None)
    http.close()


@pytest.fixture
def local_then_vision(read_once: ReadOnce, vision: VisionOcrEngine) -> OcrEngine:
    return FallbackOcrEngine(read_once, vision, confidence_of)


@pytest.fixture
def vision_then_local(read_once: ReadOnce, vision: VisionOcrEngine) -> OcrEngine:
    return FallbackOcrEngine(vision, read_once)


@pytest.fixture
def without_cloud(read_once: ReadOnce, vision: VisionOcrEngine, faults: Faults) -> Iterator[OcrEngine]:
    """The cloud is away for the whole test."""
    faults.set("vision", "quota")
    yield FallbackOcrEngine(vision, read_once)
    faults.clear("vision")


@pytest.fixture(params=["read_once", "vision", "local_then_vision", "vision_then_local", "without_cloud"])
def engine(request: pytest.FixtureRequest) -> OcrEngine:
    return request.getfixturevalue(request.param)


def as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_printed_invoice_is_read_line_by_line(engine: OcrEngine, shop: DemoShop) -> None:
    invoice = shop.invoices[0]
    page = engine.read(render_invoice(shop, invoice))
    assert invoice.number in page.text
    assert invoice.product_name in page.text
    assert (page.width, page.height) == (900, 1200)
    tops = {line.text.split(":")[0]: line.box[1] for line in page.lines}
    assert tops["Número"] < tops["Fecha"] < tops["Producto"]
    assert all(0 <= line.confidence <= 1 for line in page.lines)
    assert all(line.box[0] < line.box[2] and line.box[1] < line.box[3] for line in page.lines)


def test_the_fields_of_a_printed_invoice_are_certain(engine: OcrEngine, shop: DemoShop) -> None:
    invoice = shop.invoices[0]
    found = extract(engine.read(render_invoice(shop, invoice)))
    assert found.values["invoice_number"] == invoice.number
    assert found.values["product_name"] == invoice.product_name
    assert found.values["product_size"] == invoice.size
    assert found.values["purchase_date"] == "2025-10-15"
    assert found.values["total"] == 39990
    assert found.values["warranty_days"] == 90
    assert min(found.fields[name].confidence for name in ("invoice_number", "purchase_date", "total")) > 0.90
    assert found.confidence > 0.85  # a name is never as certain as a figure, which has its form


def test_a_blurred_invoice_is_not_trusted(engine: OcrEngine, shop: DemoShop) -> None:
    assert extract(engine.read(render_invoice(shop, shop.invoices[0], blurred=True))).confidence < 0.70


def test_a_picture_without_text_is_an_empty_page(engine: OcrEngine) -> None:
    assert engine.read(as_png(Image.new("RGB", (400, 300), "white"))).lines == ()


def test_bytes_that_are_no_picture_are_refused(engine: OcrEngine) -> None:
    with pytest.raises(RejectedInputError):
        engine.read(b"\x89PNG\r\n\x1a\n" + bytes(60))


def test_several_threads_may_read_at_once(engine: OcrEngine, local: LocalOcrEngine, shop: DemoShop) -> None:
    picture = render_invoice(shop, shop.invoices[0])
    if isinstance(engine, ReadOnce):
        engine = local  # which really reads it three times
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(engine.read(picture).text)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(texts) == 3
    assert len(set(texts)) == 1


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_photographed_sideways_is_read_upright(degrees: int, local: LocalOcrEngine, shop: DemoShop) -> None:
    picture = Image.open(io.BytesIO(render_invoice(shop, shop.invoices[0])))
    turned = as_png(picture.convert("RGB").rotate(degrees, expand=True))
    found = extract(local.read(turned))
    assert found.values["invoice_number"] == shop.invoices[0].number
    assert found.values["product_name"] == shop.invoices[0].product_name


def test_a_slightly_tilted_page_keeps_its_rows(local: LocalOcrEngine, shop: DemoShop) -> None:
    picture = ImageOps.expand(Image.open(io.BytesIO(render_invoice(shop, shop.invoices[0]))).convert("L"), 100, 230)
    page = local.read(as_png(picture.rotate(6, fillcolor=230)))
    tops = [line.box[1] for line in page.lines if ":" in line.text]
    assert tops == sorted(tops)
    assert extract(page).values["total"] == 39990


def test_the_development_set_is_read_as_measured(local: LocalOcrEngine, shared_dir: Path) -> None:
    """Number, day and total of its clean pages; the other levels are measured, not tested: they take a minute."""
    folder = shared_dir / "data" / "documents-dev"
    labels = [entry for entry in json.loads((folder / "labels.json").read_text()) if entry["level"] == "clean"]
    wrong: list[Any] = []
    for label in labels:
        values = extract(local.read((folder / label["file"]).read_bytes())).values
        printed = label["fields"]
        number = printed["number"].lstrip("0") if printed["number"].isdigit() else printed["number"]
        wanted = {"invoice_number": number, "purchase_date": printed["date"], "total": printed["total"]}
        wrong += [
            (label["file"], name, values.get(name)) for name, value in wanted.items() if values.get(name) != value
        ]
    assert wrong == []


def test_a_refused_vision_key_is_the_operators_to_solve(vision: VisionOcrEngine, faults: Faults) -> None:
    faults.set("vision", "invalid_key", times=1)
    with pytest.raises(ConfigError):
        vision.read(as_png(Image.new("RGB", (40, 30))))


def test_a_missing_vision_key_fails_closed(vision: VisionOcrEngine) -> None:
    other = VisionOcrEngine(vision.http, vision.secrets, TenantScope(tenant_id="TENANT_OTHER"), vision.base_url)
    with pytest.raises(ConfigError):
        other.read(as_png(Image.new("RGB", (40, 30))))


@pytest.mark.parametrize("kind", ["quota", "http_500"])
def test_a_passing_fault_of_vision_is_waited_out(
    kind: str, vision: VisionOcrEngine, faults: Faults, shop: DemoShop
) -> None:
    faults.set("vision", kind, times=2)
    assert shop.invoices[0].number in vision.read(render_invoice(shop, shop.invoices[0])).text


@pytest.mark.parametrize("kind", ["quota", "http_500"])
def test_a_fault_of_vision_that_stays_is_a_passing_one_for_the_turn(
    kind: str, vision: VisionOcrEngine, faults: Faults
) -> None:
    faults.set("vision", kind)
    try:
        with pytest.raises(TransientError):
            vision.read(as_png(Image.new("RGB", (40, 30))))
    finally:
        faults.clear("vision")


def test_an_error_inside_a_successful_answer_is_seen(vision: VisionOcrEngine, faults: Faults) -> None:
    faults.set("vision", "image_error", times=3)
    try:
        with pytest.raises((RejectedInputError, TransientError, PermanentError)):
            vision.read(as_png(Image.new("RGB", (40, 30))))
    finally:
        faults.clear("vision")


def test_a_picture_too_large_for_vision_is_not_sent(vision: VisionOcrEngine) -> None:
    with pytest.raises(RejectedInputError, match="7 MiB"):
        vision.read(bytes(8 * 2**20))
