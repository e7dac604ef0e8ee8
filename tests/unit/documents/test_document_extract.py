"""Fields of invoices from their text, and the traps that look like fields."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.documents.dates import parse_date
from smarteros.documents.extract import Extraction, extract
from smarteros.documents.items import find_items
from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.documents.rows import Cell, Row
from smarteros.documents.totals import amounts_in


def page(*rows: str, confidence: float = 0.97) -> OcrPage:
    """A page of rows; cells of a row are separated by `` | `` and stand in columns of 300 pixels."""
    lines = [
        OcrLine(
            text=cell.strip(),
            confidence=confidence,
            box=(column * 300, at * 40, column * 300 + 280, at * 40 + 30),
        )
        for at, row in enumerate(rows)
        for column, cell in enumerate(row.split("|"))
        if cell.strip()
    ]
    return OcrPage(lines=tuple(lines), width=1200, height=40 * len(rows))


def read(*rows: str, confidence: float = 0.97) -> Extraction:
    return extract(page(*rows, confidence=confidence))


LABELLED = (
    "FACTURA", "Número: INV-2026-031", "Producto: Polera Algodón Maule", "Talla: L", "Precio: 15.990 CLP",
    "Fecha: 07/04/2026", "Garantía: 60 días",
)  # fmt: skip


def test_a_labelled_invoice_gives_all_fields() -> None:
    found = read(*LABELLED)
    assert found.invoice_detected
    assert found.values == {
        "invoice_number": "INV-2026-031",
        "product_name": "Polera Algodón Maule",
        "product_size": "L",
        "purchase_date": "2026-04-07",
        "warranty_days": 60,
        "total": 15990,
    }
    assert found.confidence == pytest.approx(0.97)


def test_a_thermal_receipt_gives_its_first_item() -> None:
    found = read(
        "COMERCIAL BÍO BÍO LTDA.", "RUT 76.543.210-3", "VENTA DE ARTÍCULOS DE HOGAR", "BOLETA ELECTRÓNICA",
        "NRO.0048213", "S.I.I. - Los Ángeles", "FECHA EMISIÓN : 09.02.2026", "Cajero: Rosa | Caja 4",
        "TELÉFONO FIJO LAJA T42", "1 X 19.990 | 19.990", "FRAZADA TÉRMICA", "2 x 12.990 | 25.980",
        "NETO | $ 38.630", "IVA 19% | $ 7.340", "TOTAL | $ | 45.970", "Efectivo | $ 50.000", "Vuelto | $ 4.030",
        "GARANTÍA 6 MESES CON BOLETA", "Res. 99 de 2014 Verifique documento en www.sii.cl",
    )  # fmt: skip
    assert found.values == {
        "invoice_number": "48213",
        "purchase_date": "2026-02-09",
        "total": 45970,
        "warranty_days": 180,
        "product_name": "TELÉFONO FIJO LAJA",
        "product_size": "42",
        "issuer_rut": "76543210-3",
    }
    assert found.fields["total"].confidence == 0.99, "net and tax add up to it"


def test_a_table_gives_the_row_below_its_head_and_dates_below_their_labels() -> None:
    found = read(
        "Librería Ñielol | RUT: 77.111.222-8", "Calle Lautaro N° 845, Temuco", "Factura de cliente F012-00034567",
        "Fecha Emisión: | Fecha de vencimiento: | Origen:", "02.03.2026 | 17/04/2026 | S08812",
        "DESCRIPCIÓN | CANTIDAD | PRECIO UNITARIO | IMPORTE",
        "[77123] Mochila Ñandú (Talla M) | 1,00 | 24.990 | $ 24.990",
        "Base imponible | $ 21.000", "IVA 19% | $ 3.990", "Total | $ 24.990",
    )  # fmt: skip
    assert found.values == {
        "invoice_number": "F012-00034567",
        "purchase_date": "2026-03-02",
        "total": 24990,
        "product_name": "Mochila Ñandú",
        "product_size": "M",
    }


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("N° 3321", "3321"),
        ("Nº 0000625", "625"),
        ("N°529", "529"),
        ("N2255295", "2255295"),
        ("FOLIO N° 36964", "36964"),
        ("F0LI0: 8123", "8123"),
        ("N° Documento: 60974", "60974"),
        ("Boleta electrónica N° 77120", "77120"),
        ("Comprobante N° 714192", "714192"),
        ("Número： INV-2025-001", "INV-2025-001"),
        ("Factura INV/2025/65808", "INV/2025/65808"),
        ("RB-000417 N° RB-000417", "RB-000417"),
    ],
)
def test_a_number_is_read_as_printed_without_zeros(printed: str, number: str) -> None:
    assert read("FACTURA ELECTRÓNICA", printed).values["invoice_number"] == number


@pytest.mark.parametrize(
    "printed",
    [
        "RUT 76.543.210-3",
        "Res. N° 80 de 2014",
        "Av. Prat N° 1200",
        "Fecha: 01/02/2026",
        "Caja N° 12",
        "Fono: 452 123456",
    ],
)
def test_a_number_of_something_else_is_not_the_invoices(printed: str) -> None:
    assert "invoice_number" not in read("FACTURA", printed).values


def test_a_short_number_is_doubted() -> None:
    found = read("BOLETA", "Pelota N° 5", "NRO. 41234")
    assert found.values["invoice_number"] == "41234"
    assert read("BOLETA", "Pelota N° 5").fields["invoice_number"].confidence < 0.7


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("15/10/2025", date(2025, 10, 15)),
        ("5-3-26", date(2026, 3, 5)),
        ("28-MAY-2025", date(2025, 5, 28)),
        ("2024-10-05", date(2024, 10, 5)),
        ("4 de enero de 2025", date(2025, 1, 4)),
        ("Santiago, 3 de septiembre del 2025", date(2025, 9, 3)),
        ("02/04/2024 19:52", date(2024, 4, 2)),
        ("02/04/202419:52", date(2024, 4, 2)),
        ("12 Aug 2025", date(2025, 8, 12)),
        ("31/02/2026", None),
        ("90 días", None),
        ("16.027.079-2", None),
        ("3 x 4.990", None),
        ("1/2/1887", None),
    ],
)
def test_dates_are_read_day_first(text: str, day: date | None) -> None:
    assert parse_date(text) == day


def test_a_due_date_is_never_the_day_of_purchase() -> None:
    assert "purchase_date" not in read("FACTURA", "Fecha Vencimiento: | 27/04/2025").values


def test_a_date_nobody_announced_is_doubted() -> None:
    assert read("BOLETA", "Temuco 27/04/2025").fields["purchase_date"].confidence < 0.8


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("$ 39.990", [39990]),
        ("$39,990", [39990]),
        ("1.249.990 CLP", [1249990]),
        ("$ 9.990.00", [9990]),
        ("24.990,00", [24990]),
        ("77.563.952-0", []),
        ("TOTAL 500", [500]),
    ],
)
def test_amounts_are_whole_pesos(text: str, amounts: list[int]) -> None:
    assert amounts_in(text) == amounts


def test_a_total_that_net_and_tax_contradict_is_doubted() -> None:
    found = read("BOLETA N° 4412", "NETO | 10.000", "IVA | 1.900", "TOTAL | 31.900")
    assert found.fields["total"].confidence < 0.7


def test_one_missing_required_field_makes_the_document_worthless() -> None:
    found = read(*(row for row in LABELLED if not row.startswith("Fecha")))
    assert found.invoice_detected
    assert found.confidence == 0.0


def test_the_weakest_line_is_the_documents_confidence() -> None:
    lines = list(page(*LABELLED).lines)
    lines[5] = lines[5].model_copy(update={"confidence": 0.61})
    found = extract(OcrPage(lines=tuple(lines), width=1, height=1))
    assert found.confidence == pytest.approx(0.61)


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ("Menú del día", "Cazuela 5.990", "Total recomendado"),
        ("hola te mando la factura",),
        ("ZAPATILLAS 50% OFF", "hasta el 30/06/2026"),
        ("Juan Soto", "RUT 12.345.678-5", "Fecha de nacimiento 01/02/1990"),
    ],
)
def test_a_picture_of_something_else_is_no_invoice(rows: tuple[str, ...]) -> None:
    found = read(*rows)
    assert not found.invoice_detected
    assert found.confidence == 0.0


def test_the_catalogue_settles_a_misread_product() -> None:
    rows = (*LABELLED[:2], "Producto: Polera Alqodon Mauie", *LABELLED[3:])
    found = extract(page(*rows), catalogue=["Pantalón Lino Itata", "Polera Algodón Maule"])
    assert found.values["product_name"] == "Polera Algodón Maule"
    assert extract(page(*rows), catalogue=["Taladro"]).values["product_name"] == "Polera Alqodon Mauie"


@given(
    st.lists(
        st.tuples(
            st.text(max_size=40) | st.sampled_from(["TOTAL", "N°", "Fecha:", "1 x 2.990", "Garantía 999 días"]),
            st.floats(0, 1),
            st.tuples(*[st.integers(-50, 3000)] * 4),
        ),
        max_size=12,
    )
)
def test_any_page_whatever_gives_fields_between_0_and_1(
    lines: list[tuple[str, float, tuple[int, int, int, int]]],
) -> None:
    found = extract(
        OcrPage(lines=tuple(OcrLine(text=t, confidence=c, box=b) for t, c, b in lines), width=10, height=10)
    )
    assert 0 <= found.confidence <= 1
    assert all(0 <= field.confidence <= 1 for field in found.fields.values())


def test_a_dollar_sign_read_as_a_five_is_seen() -> None:
    assert read("BOLETA N° 4412", "Polera Maule | 19.990", "TOTAL | 519.990").values["total"] == 19990
    assert read("BOLETA N° 4412", "Sofá Maule | 519.990", "TOTAL | 519.990").values["total"] == 519990


def test_the_issuers_rut_is_not_the_buyers() -> None:
    found = read(
        "Comercial Maule SpA",
        "R.U.T. 76.543.210-3",
        "FACTURA N° 4412",
        "SEÑOR(ES): | Taller Lenga",
        "R.U.T.: | 77.123.456-9",
    )
    assert found.values["issuer_rut"] == "76543210-3"
    assert "issuer_rut" not in read("FACTURA N° 4412", "RUT cliente: 77.123.456-9").values
    assert read("FACTURA N° 4412", "RUT 12.345.678-5").fields["issuer_rut"].confidence < 0.7
    assert "issuer_rut" not in read("FACTURA N° 4412", "RUT 76.543.210-4").values, "its check digit is wrong"


def test_all_goods_are_listed_with_their_sizes() -> None:
    found = read(
        "FACTURA N° 4412", "CÓDIGO | DESCRIPCIÓN | CANTIDAD | PRECIO | VALOR",
        "A12345 | Zapatilla Trail Talla 42 | 2 | 54.990 | 109.980", "B22222 | Parka Señora TM | 1 | 79.990 | 79.990",
        "TOTAL | 189.970",
    )  # fmt: skip
    assert [(i.name, i.size, i.quantity, i.unit_price, i.amount) for i in found.items] == [
        ("Zapatilla Trail", "42", 2, 54990, 109980),
        ("Parka Señora", "M", 1, 79990, 79990),
    ]


@pytest.mark.parametrize("head", ["Item", "N°", "#"])
def test_the_number_of_a_row_is_not_how_many_were_bought(head: str) -> None:
    columns = ((10, 60), (100, 300), (320, 380), (400, 480), (500, 580))
    table = (
        (head, "Descripcion", "Cant.", "Precio", "Total"),
        ("1", "Zapatilla Running Azul", "2", "39.990", "79.980"),
        ("2", "Calcetines Deportivos", "3", "4.990", "14.970"),
    )
    rows = tuple(
        Row(tuple(Cell(text, 0.99, left, y, right, y + 20) for text, (left, right) in zip(row, columns, strict=True)))
        for y, row in zip(range(0, 90, 30), table, strict=True)
    )
    assert [(item.quantity, item.unit_price, item.amount) for item in find_items(rows)] == [
        (2, 39_990, 79_980),
        (3, 4_990, 14_970),
    ]


def test_goods_are_listed_below_a_head_that_ends_with_the_word_of_the_sum() -> None:
    found = read("BOLETA ELECTRONICA N° 4471", "COD. DESCRIPCION TOTAL", "POLERA BASICA NEGRA 12.990", "TOTAL 12.990")
    assert [(item.name, item.amount) for item in found.items] == [("POLERA BASICA NEGRA", 12_990)]


def test_the_number_of_a_house_is_not_the_documents() -> None:
    found = read("BOLETA ELECTRONICA", "Araucaria N° 2310, Ñuñoa", "N° 9975", "Fecha: 09/02/2026")
    assert found.values["invoice_number"] == "9975"


def test_the_only_rut_in_the_buyers_place_is_not_surely_the_issuers() -> None:
    rows = ("FACTURA N° 9975", "Cliente", "Taller Lenga SpA", "RUT 76.543.961-2", "Fecha: 09/02/2026")
    assert read(*rows, confidence=0.99).fields["issuer_rut"].confidence < 0.7
    assert read("RUT 77.944.088-5", *rows, confidence=0.99).fields["issuer_rut"].confidence > 0.9


@pytest.mark.parametrize(("line", "name"), [(0.94, 0.89), (0.96, 0.89), (0.98, 0.98), (0.8, 0.8)])
def test_a_name_is_sure_only_where_hardly_a_letter_can_be_wrong(line: float, name: float) -> None:
    assert read(*LABELLED, confidence=line).fields["product_name"].confidence == pytest.approx(name)
