"""The painted invoices: a real OCR engine reads the clean ones and not the blurred ones."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smarteros_sandbox.shops.render import LINES_CHUNK, invoice_lines, render_invoice

from .shops_stand import CLOTHES, DEMO, ELECTRONICS, demo_shops


@pytest.fixture(scope="module")
def engine() -> Any:
    rapidocr = pytest.importorskip("rapidocr")
    return rapidocr.RapidOCR()


def read(engine: Any, picture: bytes) -> list[str]:
    found = engine(np.array(Image.open(io.BytesIO(picture)).convert("RGB")))
    return list(found.txts or ())


def test_lines_are_those_of_the_contract():
    shop = demo_shops()[DEMO]
    assert invoice_lines(shop, shop.invoices[0]) == [
        "Número: INV-2025-001",
        "Fecha: 15/10/2025",
        "Producto: Zapatilla Running Azul",
        "Talla: 42",
        "Precio: 39.990 CLP",
        "Total: $39.990",
        "Garantía: 90 días",
    ]


def test_a_factura_names_its_receiver_and_the_quantity():
    shop = demo_shops()[ELECTRONICS]
    lines = invoice_lines(shop, shop.invoices[1])
    assert "Cliente: Comercial Lican Ltda." in lines
    assert "RUT cliente: 77.889.900-0" in lines
    assert "Cantidad: 4" in lines
    assert "Total: $99.960" in lines


@pytest.mark.parametrize(("shop", "invoice"), [(DEMO, 0), (CLOTHES, 2), (ELECTRONICS, 0)])
def test_a_real_engine_reads_every_line(engine: Any, shop: int, invoice: int):
    one = demo_shops()[shop]
    texts = read(engine, render_invoice(one, one.invoices[invoice]))
    for line in (one.spec.name, *invoice_lines(one, one.invoices[invoice])):
        assert line in texts


def test_a_real_engine_cannot_read_the_blurred_one(engine: Any):
    shop = demo_shops()[DEMO]
    texts = read(engine, render_invoice(shop, shop.invoices[0], blurred=True))
    assert not any(character.isdigit() for text in texts for character in text)


def test_the_same_invoice_gives_the_same_bytes():
    shop = demo_shops()[DEMO]
    assert render_invoice(shop, shop.invoices[0]) == render_invoice(shop, shop.invoices[0])


def test_the_lines_travel_in_the_file():
    shop = demo_shops()[DEMO]
    image = Image.open(io.BytesIO(render_invoice(shop, shop.invoices[0])))
    assert image.size == (900, 1200)
    assert "Número: INV-2025-001" in str(image.info[LINES_CHUNK])


def test_an_undated_invoice_is_refused():
    shop = demo_shops()[DEMO]
    with pytest.raises(ValueError, match="load_shops"):
        render_invoice(shop, shop.invoices[0].model_copy(update={"invoice_date": None}))
