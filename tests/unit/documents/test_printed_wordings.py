"""The words shops and tills use for the same facts, and what a camera makes of them."""

from __future__ import annotations

import pytest
from tests.unit.documents.test_document_extract import read

GOODS = ("Polera Manga Larga | 12.990", "TOTAL $ | 12.990")


@pytest.mark.parametrize(
    "lines",
    [
        ("BOLETA ELECTRONICA N° 48213",),
        ("BOLETA ELECTRONICA N°", "48213"),
        ("BOLETA ELECTRONICA", "48213"),
        ("BOLETA ELECTRONICA", "FOLIO: 48213"),
        ("BOLETA ELECTRONICA", "FOLIO N° 000048213"),
        ("BOLETA ELECTRONICA", "Nº 48213 | 05-03-2026"),
        ("BOLETA", "N° Boleta: 48213"),
        ("BOLETA ELECTRONICA NRO: 48213",),
        ("BOLETA ELECTRÓNICA", "Av. Araucaria N° 2310 - Puerto Varas", 'N"48213'),
        ("BOLETA ELECTRONICA", "N° 48213", "7735114214171"),
    ],
)
def test_a_number_is_found_under_each_of_its_names(lines: tuple[str, ...]) -> None:
    found = read(*lines, "Fecha: 05/03/2026", *GOODS)
    assert found.values["invoice_number"] == "48213"
    assert found.fields["invoice_number"].confidence > 0.9


def test_the_code_of_an_article_is_not_surely_the_documents_number() -> None:
    found = read("BOLETA ELECTRONICA", "7735114214171", "Fecha: 05/03/2026", *GOODS)
    assert "invoice_number" not in found.values or found.fields["invoice_number"].confidence < 0.7


@pytest.mark.parametrize(
    "printed",
    [
        "05-mar-2026", "05/MAR/2026", "5 de marzo de 2026", "Jueves 5 de Marzo del 2026", "2026-03-05", "2026/03/05",
        "2026.03.05", "05/03/26", "5/3/2026", "05 / 03 / 2026", "05 03.2026", "5 mar. 2026", "Mar 05. 2026",
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_form(printed: str) -> None:
    assert read("FACTURA N° 48213", f"Fecha Emisión: {printed}", *GOODS).values["purchase_date"] == "2026-03-05"


@pytest.mark.parametrize(
    "lines",
    [
        ("Fecha Emisión | Vencimiento", "2026/03/05 | 04/ABR/2026"),
        ("Fochu de emsin | Fecha de cm", "05-03-2026 | 04-04-2026"),
        ("VENCIMIENTO", "04/04/2026", "Valdivia, 5 de marzo de 2026"),
        ("| ", "04-04-2026 | 05-03-2026"),
    ],
)
def test_the_day_of_issue_is_not_the_later_one_when_payment_is_due(lines: tuple[str, ...]) -> None:
    assert read("FACTURA N° 48213", *lines, *GOODS).values["purchase_date"] == "2026-03-05"


def test_a_day_that_only_says_when_payment_is_due_is_none() -> None:
    assert "purchase_date" not in read("FACTURA N° 48213", "VENCIMIENTO", "04/04/2026", *GOODS).values


@pytest.mark.parametrize(
    ("sentence", "days"),
    [
        ("Garantía: 90 días", 90), ("90 días de garantía", 90), ("PRODUCTO CON GARANTIA DE 6 MESES", 180),
        ("Garantía legal de seis meses", 180), ("Garantía 1 año", 365), ("12-month warranty", 360),
        ("Garantia: G0 dias", None),
        ("Garantía según ley. Cambios dentro de 10 días", None), ("Cambios dentro de 30 días con boleta", None),
    ],
)  # fmt: skip
def test_a_warranty_is_told_before_or_after_its_length(sentence: str, days: int | None) -> None:
    assert read("BOLETA N° 48213", *GOODS, sentence).values.get("warranty_days") == days


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("2 CNU | Polera Manga Larga | 6.495 | 12.990", "Polera Manga Larga"),
        ("PAR Pantalón Cargo Caqui | 29.990", "Pantalón Cargo Caqui"),
        ("Cafetera Italiana 6Tazas | 15.990", "Cafetera Italiana 6 Tazas"),
        ("Notebook Pampa 14° 8GB | 459.990", 'Notebook Pampa 14" 8GB'),
        ("Pantalón Cargo Caqui TALL.A 38 | 29.990", "Pantalón Cargo Caqui"),
        ("Cargador USB-C 65W | 19.990", "Cargador USB-C 65W"),
    ],
)
def test_what_stands_beside_a_name_is_no_part_of_it(line: str, name: str) -> None:
    assert read("FACTURA N° 48213", "Fecha: 05/03/2026", line, "TOTAL | 12.990").values["product_name"] == name


@pytest.mark.parametrize("times", ["1 UN x $44.990 | $44.990", "1 X 44.990 | 44.990"])
def test_quantity_and_price_below_a_name_are_no_part_of_it(times: str) -> None:
    found = read("BOLETA N° 48213", "05/03/2026", "Botín Chelsea Talla", "36", times, "TOTAL | 44.990")
    assert (found.values["product_name"], found.values["product_size"]) == ("Botín Chelsea", "36")
    assert [(item.quantity, item.amount) for item in found.items] == [(1, 44990)]


def test_a_rut_whose_dash_was_read_as_a_point_is_the_issuers_and_the_buyers_is_not() -> None:
    below = ("Seflor(es) | R.U.T.", "Taller Lenga SpA | 76.543.961-2")
    assert read("BOLETA N° 48213", "RUT 77.944.088.5", *below).values["issuer_rut"] == "77944088-5"
    unread = read("BOLETA N° 48213", "RUT 77.944.089.5", *below, confidence=0.99)
    assert "issuer_rut" not in unread.values or unread.fields["issuer_rut"].confidence < 0.7


def test_the_line_of_the_number_above_a_name_is_no_part_of_it() -> None:
    found = read(
        "COMPROBANTE DE VENTA", "N° 023-0016548", "Pantalón Cargo Caqui", "1 x $29.990 | $29.990", "TOTAL | 29.990"
    )
    assert found.values["product_name"] == "Pantalón Cargo Caqui"


def test_a_name_is_not_sure_on_a_page_where_nothing_else_could_be_read() -> None:
    assert read("acte an | 12.990", confidence=0.99).fields["product_name"].confidence < 0.7
    assert read("acte an | 12.990", "TOTAL | 12.990", confidence=0.99).fields["product_name"].confidence > 0.9


@pytest.mark.parametrize(
    "printed",
    ["veinte de octubre de dos mil veintiséis", "Veinte de octubre de 2026", "20 de octubre de dos mil veintiséis"],
)
def test_a_day_written_in_words_is_read(printed: str) -> None:
    assert read("FACTURA N° 48213", f"La Serena, {printed}", *GOODS).values["purchase_date"] == "2026-10-20"


def test_the_first_of_a_month_may_be_called_so() -> None:
    found = read("FACTURA N° 48213", "La Serena, primero de octubre de 2026", *GOODS)
    assert found.values["purchase_date"] == "2026-10-01"


@pytest.mark.parametrize("handed_over", ["Monto pagado | 20.000", "Total vuelto | 97.010", "Total pagos | 20.000"])
def test_what_the_customer_handed_over_is_not_the_total(handed_over: str) -> None:
    assert read("BOLETA N° 48213", *GOODS, handed_over).values["total"] == 12990


@pytest.mark.parametrize("label", ["A PAGAR", "Monto a cancelar", "Total a pagar", "Monto pagado"])
def test_the_amount_to_pay_has_several_names(label: str) -> None:
    assert read("BOLETA N° 48213", "Polera Manga Larga | 12.990", f"{label} | 12.990").values["total"] == 12990


@pytest.mark.parametrize(
    "row",
    [
        "1 UN BOTIN CUERO CAFE | 39.990", "RF-220 | | Botin Cuero Cafe | 39.990", "Botin Cuero Cafe | x1 | 39.990",
        "1 Botin Cuero Cafe 39,990", "B0TIN CUERO CAFE | 39.990",
    ],
)  # fmt: skip
def test_a_name_is_read_without_its_unit_its_code_and_its_price(row: str) -> None:
    name = read("BOLETA N° 48213", "Fecha: 05/03/2026", row, "TOTAL | 39.990").values["product_name"]
    assert name.lower() == "botin cuero cafe"


@pytest.mark.parametrize(
    "numbers",
    ["SKU 884412233 | 2 | {}", "2 | {}", "Talla: M Cantidad: 2 | {}"],
)
def test_numbers_below_each_name_belong_to_the_name_above(numbers: str) -> None:
    found = read(
        "BOLETA N° 48213", "Fecha: 05/03/2026", "PANTALON CARGO", numbers.format("24.990"), "POLERA BASICA",
        numbers.format("12.990"), "TOTAL | 37.980",
    )  # fmt: skip
    assert [(item.name, item.quantity, item.amount) for item in found.items] == [
        ("PANTALON CARGO", 2, 24990), ("POLERA BASICA", 2, 12990),
    ]  # fmt: skip
    assert found.values["product_name"] == "PANTALON CARGO"
