"""``smos documents read``: several files, one report each, without a server."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from tests.documents.camera import no_invoice
from tests.documents.layouts import sii_classic
from tests.documents.paper import Text, fonts_present
from tests.documents.sets import make_invoice
from tests.documents.stamps import TEST_KEY_ID, authority
from typer.testing import CliRunner

from smarteros.cli.main import app

pytestmark = pytest.mark.skipif(not fonts_present(), reason="no fonts with Spanish letters on this machine")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """One invoice as photo, WebP, HEIC, sideways by EXIF, and as PDFs; and what is none."""
    folder = tmp_path_factory.mktemp("documents")
    rng = random.Random(8)
    invoice = make_invoice("sii_classic", rng)
    sheet = sii_classic(invoice, rng)
    page = sheet.picture()
    page.save(folder / "photo.jpg", quality=88)
    page.save(folder / "photo.webp", quality=85)
    pillow_heif.from_pillow(page).save(folder / "photo.heic", quality=85)
    exif = Image.Exif()
    exif[0x0112] = 6
    page.rotate(90, expand=True).save(folder / "exif.jpg", quality=88, exif=exif)
    (folder / "text.pdf").write_bytes(sheet.pdf())
    (folder / "scan.pdf").write_bytes(sheet.pdf(text_layer=False))
    (folder / "shoe.jpg").write_bytes(no_invoice(np.random.default_rng(1), 0))
    (folder / "note.txt").write_text("hola")
    key = authority().public
    (folder / "keys.json").write_text(json.dumps({"keys": {str(TEST_KEY_ID): {"n_hex": f"{key.n:X}", "e": key.e}}}))
    return folder, invoice


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["documents", "read", *arguments])
    return result.exit_code, result.stdout


def test_every_kind_of_file_gives_the_same_invoice(files: tuple[Path, Any]) -> None:
    folder, invoice = files
    names = ["photo.jpg", "photo.webp", "photo.heic", "exif.jpg", "text.pdf", "scan.pdf"]
    code, printed = run(*(str(folder / name) for name in names), "--json", "--timbre-keys", str(folder / "keys.json"))
    assert code == 0
    for name, found in zip(names, json.loads(printed), strict=True):
        assert found["file"].endswith(name)
        assert found["kind"] == "factura", name
        assert found["timbre"]["state"] == "verificado", name
        values = {key: field["value"] for key, field in found["fields"].items()}
        assert values["invoice_number"] == invoice.number.lstrip("0"), name
        assert values["total"] == invoice.total, name
        assert values["issuer_rut"] == invoice.rut, name
        assert values["product_name"] == invoice.items[0].name, name
        assert [product["amount"] for product in found["products"]] == [item.amount for item in invoice.items], name
        assert found["confidence"] >= 0.9
        left, top, right, bottom = found["timbre"]["box"]
        assert left < right
        assert top < bottom


def test_the_box_of_a_field_is_in_the_picture_as_it_was_sent(files: tuple[Path, Any]) -> None:
    folder, _ = files
    rng = random.Random(8)
    sheet = sii_classic(make_invoice("sii_classic", rng), rng)
    _, printed = run(str(folder / "photo.jpg"), "--json")
    for product in json.loads(printed)[0]["products"]:
        step = next(s for s in sheet.steps if isinstance(s, Text) and product["name"] in s.text)
        left, top, _, bottom = product["box"]
        assert abs(left - step.x) < 25
        assert top - 25 < step.y < bottom


def test_a_bad_file_is_reported_in_its_place(files: tuple[Path, Any]) -> None:
    folder, _ = files
    code, printed = run(str(folder / "note.txt"), str(folder / "shoe.jpg"), str(folder / "gone.jpg"), "--json")
    first, second, third = json.loads(printed)
    assert code == 0
    assert first["error"]["code"] == "document_unsupported"
    assert (second["kind"], second["timbre"]["state"]) == ("not_an_invoice", "ausente")
    assert third["error"]["code"] == "file_unreadable"


def test_when_no_file_can_be_read_the_exit_code_says_so(files: tuple[Path, Any]) -> None:
    folder, _ = files
    code, printed = run(str(folder / "note.txt"))
    assert code == 1
    assert "document_unsupported" in printed


def test_the_printed_report_names_the_timbre(files: tuple[Path, Any]) -> None:
    folder, invoice = files
    code, printed = run(str(folder / "text.pdf"))
    assert code == 0
    assert f"{invoice.total}" in printed
    assert "no verificable" in printed


def test_a_damaged_heic_is_refused(tmp_path: Path, files: tuple[Path, Any]) -> None:
    whole = (files[0] / "photo.heic").read_bytes()
    paths = []
    for at, data in enumerate((whole[: len(whole) // 2], whole[:40], whole[:200] + bytes(5000))):
        paths.append(tmp_path / f"{at}.heic")
        paths[-1].write_bytes(data)
    code, printed = run(*map(str, paths), "--json")
    assert code == 1
    assert {found["error"]["code"] for found in json.loads(printed)} <= {"image_unreadable", "document_unreadable"}


def test_a_transparent_picture_is_read(tmp_path: Path, files: tuple[Path, Any]) -> None:
    buffer = io.BytesIO()
    Image.open(files[0] / "photo.jpg").convert("RGBA").resize((827, 1169)).save(buffer, "PNG")
    (tmp_path / "x.png").write_bytes(buffer.getvalue())
    code, printed = run(str(tmp_path / "x.png"), "--json")
    assert (code, json.loads(printed)[0]["kind"]) == (0, "factura")
