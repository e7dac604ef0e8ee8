"""The shop's own product names settle what a till has shortened."""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from typer.testing import CliRunner

from smarteros.cli.documents import app
from smarteros.documents.local import DocumentWorker
from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.documents.reader import DocumentReader
from smarteros.domain.tenants import Tenant

SHOP = Tenant(
    tenant_id="TENANT_AROMO",
    name="Tienda Aromo SpA",
    rut="76123456-0",
    tenant_key="k" * 24,
    chatwoot_url="https://chat.aromo.example",
    chatwoot_account_ids=(31,),
)
CATALOGUES = {"TENANT_AROMO": ["Zapatilla Running Azul", "Zapatilla Training Negro", "Bota Trekking"]}
TILL = (
    "COMERCIAL AROMO SPA", "R.U.T. 76.123.456-0", "BOLETA ELECTRONICA N° 48213", "FECHA EMISION: 09/02/2026",
    "ZAPAT RUN AZ 42", "1 x 39.990", "TOTAL $ 39.990",
)  # fmt: skip


class Till:
    def read(self, image: bytes) -> OcrPage:
        lines = [OcrLine(text=row, confidence=0.96, box=(0, at * 40, 420, at * 40 + 30)) for at, row in enumerate(TILL)]
        return OcrPage(lines=tuple(lines), width=500, height=600)


@pytest.fixture(scope="module")
def worker() -> Iterator[DocumentWorker]:
    worker = DocumentWorker()
    yield worker
    worker.close()


def reader(worker: DocumentWorker) -> DocumentReader:
    def catalogue_of(tenant: Tenant) -> Sequence[str]:
        return CATALOGUES.get(tenant.tenant_id, ())

    return DocumentReader(lambda _tenant: Till(), worker, catalogue_of=catalogue_of)


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (500, 600), "white").save(buffer, "PNG")
    return buffer.getvalue()


def test_an_abbreviation_becomes_the_product_and_its_size(worker: DocumentWorker) -> None:
    fields = reader(worker).read(SHOP, picture()).fields
    assert (fields["product_name"], fields["product_size"]) == ("Zapatilla Running Azul", "42")


def test_another_shops_catalogue_says_nothing(worker: DocumentWorker) -> None:
    other = SHOP.model_copy(update={"tenant_id": "TENANT_OTHER"})
    assert "Zapatilla" not in reader(worker).read(other, picture()).fields.get("product_name", "")


def test_the_command_reads_as_the_shop_does(
    worker: DocumentWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        yield SimpleNamespace(tenants=SimpleNamespace(get=lambda _id: SHOP), reader=reader(worker))

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    (tmp_path / "till.png").write_bytes(picture())
    told = CliRunner().invoke(app, ["read", str(tmp_path / "till.png"), "--tenant", SHOP.tenant_id, "--json"])
    (found,) = json.loads(told.stdout)
    assert found["fields"]["product_name"]["value"] == "Zapatilla Running Azul"
