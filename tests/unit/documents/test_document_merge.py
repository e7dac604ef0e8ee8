"""Timbre and print put together: what wins, and what is for a person to look at."""

from __future__ import annotations

from datetime import date

import pytest
from tests.documents.stamps import Stamp, believed_keys, make_key, stamped

from smarteros.documents.extract import extract
from smarteros.documents.local import SoughtTimbre
from smarteros.documents.merge import ReadPage, merge
from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.documents.reading import DocumentResult
from smarteros.documents.timbre.keys import SII_KEYS
from smarteros.documents.timbre.verify import TimbreVerifier

VERIFIER = TimbreVerifier({**SII_KEYS, **believed_keys()})
STAMP = Stamp("76543210-3", 39, 48213, date(2026, 2, 9), 39_990, "ZAPATILLA RUNNING AZUL TALLA 42")
PRINT = (
    "COMERCIAL MAULE SPA", "RUT 76.543.210-3", "BOLETA ELECTRÓNICA", "N° 48213", "Fecha: 09/02/2026",
    "Zapatilla Running Azul Talla 42 | 39.990", "TOTAL $ | 39.990", "Garantía 90 días",
)  # fmt: skip


def page(*rows: str, confidence: float = 0.98, unread: int = 0) -> OcrPage:
    lines = [
        OcrLine(text=cell.strip(), confidence=confidence, box=(x * 500, at * 40, x * 500 + 400, at * 40 + 30))
        for at, row in enumerate(rows)
        for x, cell in enumerate(row.split("|"))
    ]
    return OcrPage(lines=tuple(lines), width=1000, height=1000, unread=unread)


def read(
    *rows: str, ted: bytes | None = None, box: tuple[int, int, int, int] | None = None, rut: str | None = None,
    catalogue: tuple[str, ...] = (), **how: float,
) -> DocumentResult:  # fmt: skip
    text = page(*rows, **how)  # type: ignore[arg-type]
    sought = SoughtTimbre(ted, box or ((5, 5, 300, 100) if ted else None))
    pages = [ReadPage(text, extract(text, catalogue=catalogue), sought, "ocr")]
    return merge(pages, VERIFIER, tenant_rut=rut, catalogue=catalogue)


def test_a_genuine_timbre_gives_the_fields_it_knows_and_print_the_rest() -> None:
    found = read(*PRINT, ted=stamped(STAMP), rut="76543210-3")
    assert found.kind == "boleta"
    assert (found.timbre.state, found.timbre.document_key) == ("verificado", "76543210-3|39|48213")
    assert {name: (field.value, field.source) for name, field in found.fields.items()} == {
        "invoice_number": ("48213", "timbre"),
        "purchase_date": ("2026-02-09", "timbre"),
        "total": (39990, "timbre"),
        "issuer_rut": ("76543210-3", "timbre"),
        "product_name": ("Zapatilla Running Azul", "ocr"),
        "product_size": ("42", "timbre"),
        "warranty_days": (90, "ocr"),
    }
    assert found.confidence >= 0.95
    assert (found.fraud, found.reasons) == ((), ())
    assert found.fields["total"].box == (5, 5, 300, 100)
    assert [(p.name, p.size, p.amount) for p in found.products] == [("Zapatilla Running Azul", "42", 39990)]


def test_doubtful_print_is_settled_by_the_timbre() -> None:
    found = read("B0LETA", "N° 4B213", "TOTAL", ted=stamped(STAMP), confidence=0.6)
    assert found.confidence >= 0.95
    assert found.fields["product_name"].value == "ZAPATILLA RUNNING AZUL"


def test_a_close_up_of_the_timbre_is_a_document() -> None:
    found = read(ted=stamped(STAMP))
    assert (found.kind, found.confidence >= 0.95) == ("boleta", True)
    assert found.for_flow().invoice_detected


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        (("TOTAL $ | 39.990", "TOTAL $ | 89.990"), "total_differs"),
        (("N° 48213", "N° 51877"), "number_differs"),
        (("Fecha: 09/02/2026", "Fecha: 09/11/2026"), "date_differs"),
        (("RUT 76.543.210-3", "RUT 77.123.456-9"), "issuer_differs"),
    ],
)
def test_print_that_disagrees_with_the_timbre_is_for_a_person(printed: tuple[str, str], code: str) -> None:
    rows = [row.replace(*printed).replace("Azul Talla 42 | 39.990", "Azul Talla 42 | 89.990") for row in PRINT]
    if code != "total_differs":
        rows = [row.replace(*printed) for row in PRINT]
    found = read(*rows, ted=stamped(STAMP))
    assert (found.timbre.state, found.timbre.reason, found.fraud) == ("alterado", code, (code,))
    assert found.timbre.document_key is None
    flow = found.for_flow()
    assert (flow.fraud, flow.timbre, flow.advice) == (code, "alterado", None)


def test_print_that_was_not_read_well_accuses_nobody() -> None:
    rows = [row.replace("TOTAL $ | 39.990", "TOTAL $ | 89.990") for row in PRINT]
    found = read(*rows, ted=stamped(STAMP), confidence=0.85)
    assert (found.timbre.state, found.fraud) == ("verificado", ())
    assert found.fields["total"].value == 39990


def test_a_forged_timbre_gives_no_values() -> None:
    forged = stamped(STAMP.but(key_id=100, total=99), caf_signer=make_key("forger", 65537))
    found = read(*PRINT, ted=forged)
    assert (found.timbre.state, found.timbre.reason) == ("alterado", "frma_invalid")
    assert found.fields["total"].value == 39990
    assert {field.source for field in found.fields.values()} == {"ocr"}
    assert found.fraud == ("frma_invalid",)


def test_a_timbre_of_another_shop_is_for_a_person() -> None:
    found = read(*PRINT, ted=stamped(STAMP), rut="77123456-9")
    assert (found.timbre.state, found.fraud) == ("no_verificable", ("other_issuer",))


def test_an_unknown_key_is_no_suspicion() -> None:
    found = read(*PRINT, ted=stamped(STAMP.but(key_id=555)))
    assert (found.timbre.state, found.timbre.reason, found.fraud) == ("no_verificable", "unknown_key", ())
    assert found.fields["invoice_number"].source == "timbre"


def test_a_generic_item_does_not_replace_the_printed_product() -> None:
    found = read(*PRINT, ted=stamped(STAMP.but(item="VENTA AFECTA")))
    assert found.fields["product_name"].value == "Zapatilla Running Azul"


def test_a_cut_item_is_completed_by_the_print() -> None:
    name = "Juego de Sábanas de Algodón Orgánico Dos Plazas"
    rows = [row.replace("Zapatilla Running Azul Talla 42", name) for row in PRINT]
    found = read(*rows, ted=stamped(STAMP.but(item=name)))
    assert found.fields["product_name"].value == name


def test_the_catalogue_settles_the_timbres_spelling() -> None:
    found = read(*PRINT, ted=stamped(STAMP), catalogue=("Zapatilla Running Azul", "Polera Lino"))
    assert found.fields["product_name"].value == "Zapatilla Running Azul"


def test_a_barcode_that_failed_is_asked_for_only_when_it_would_help() -> None:
    good = read(*PRINT, box=(1, 1, 9, 9))
    assert (good.timbre.reason, good.reasons, good.for_flow().advice) == ("undecodable", (), None)
    poor = read(*PRINT[:4], box=(1, 1, 9, 9))
    assert "ask_closeup" in poor.reasons
    assert poor.for_flow().advice == "timbre_closeup"


def test_what_cannot_be_read_is_named() -> None:
    found = read("BOLETA ELECTRÓNICA", "N° 48213", unread=12)
    assert found.confidence == 0.0
    assert set(found.reasons) == {"too_blurred", "missing_purchase_date", "missing_product_name"}
    assert found.for_flow().advice == "clearer_photo"


def test_a_photo_of_something_else_is_asked_for_nothing() -> None:
    found = read("Zapatilla azul", "50 % OFF")
    assert (found.kind, found.reasons) == ("not_an_invoice", ("not_an_invoice",))
    assert found.for_flow().advice is None


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("FACTURA ELECTRÓNICA", "factura"),
        ("FACTURA EXENTA ELECTRÓNICA", "factura"),
        ("BOLETA ELECTRÓNICA", "boleta"),
        ("NOTA DE CRÉDITO ELECTRÓNICA", "nota_de_credito"),
        ("NOTA DE VENTA", "comprobante"),
    ],
)
def test_the_kind_is_the_titles(title: str, kind: str) -> None:
    rows = [row.replace("BOLETA ELECTRÓNICA", title) for row in PRINT] + ["Cambios con boleta"]
    assert read(*rows).kind == kind


def test_a_credit_note_that_names_a_factura_is_a_credit_note() -> None:
    rows = [row.replace("BOLETA ELECTRÓNICA", "NOTA DE CRÉDITO ELECTRÓNICA") for row in PRINT]
    assert read(*rows, "Referencia: Factura Electrónica N° 77 del 01-01-2026").kind == "nota_de_credito"
