"""Ways to print a sale that are not a plain table: wrapped names, English, exempt amounts, work instead of goods."""

from __future__ import annotations

import pytest
from tests.unit.documents.test_document_extract import read

TILL = ("BOLETA ELECTRONICA", "N°: 8620887", "09-01-2025 11:42:42", "Suc: 051 Caja: 10 Trx: 1155")


@pytest.mark.parametrize(
    ("lines", "name", "size"),
    [
        (("Lámpara de Velador", "Madera | 54.975"), "Lámpara de Velador Madera", None),
        (("3890710852268", "Olla a Presión 6", "Litros", "1 X 56.238 | 56.238"), "Olla a Presión 6 Litros", None),
        (("Sartén Antiadherente", "28 cm | 16.990"), "Sartén Antiadherente 28 cm", None),
        (("Botín Chelsea", "Cuero Negro Talla", "36 | 87.488"), "Botín Chelsea Cuero Negro", "36"),
        (("Cargador USB-C 65W | 19.990", "Silla Plegable", "Camping | 17.990"), "Cargador USB-C 65W", None),
    ],
)
def test_a_name_on_several_lines_of_a_tills_paper_is_one_name(
    lines: tuple[str, ...], name: str, size: str | None
) -> None:
    found = read(*TILL, *lines, "DCTO 20% | -10.995", "TOTAL | 43.980", confidence=0.98)
    assert found.values["product_name"] == name
    assert found.values.get("product_size") == size
    assert found.items[0].name == name


def test_below_a_tables_head_the_rest_of_a_name_stands_under_its_price() -> None:
    found = read("FACTURA N° 44", "DESCRIPCIÓN | CANTIDAD | VALOR", "Chaqueta Polar | 1 | 39.990", "Ñandú Talla L",
                 "Taladro | 1 | 64.990", "TOTAL | 104.980")  # fmt: skip
    assert [(item.name, item.size, item.amount) for item in found.items] == [
        ("Chaqueta Polar Ñandú", "L", 39990), ("Taladro", None, 64990),
    ]  # fmt: skip


def test_an_orders_number_and_a_stock_number_are_not_the_documents_and_the_products() -> None:
    found = read("Boleta electrónica N° 6042", "Pedido #484978", "Fecha de compra: 28-06-2025",
                 "Mochila Urbana 30 Litros", "SKU Z60409 | $34.990", "Cantidad: 1", "Productos | $34.990",
                 "Despacho a domicilio | Gratis", "Total | $34.990")  # fmt: skip
    assert found.values["invoice_number"] == "6042"
    assert found.values["product_name"] == "Mochila Urbana 30 Litros"


def test_an_english_invoice_gives_the_same_fields() -> None:
    found = read(
        "INVOICE", "Tax ID: 77.226.849-1", "Invoice number: | 56-44605", "Date: | March 12, 2025",
        "Due date: | 2025-04-11", "Bill to", "Servicios Ulmo Ltda.", "Tax ID: 76.002.842-8",
        "Description | Qty | Unit price | Amount", "Chaqueta Polar, size L | 2 | 39,990 | 79,980",
        "Subtotal | $67,210", "VAT 19% | $12,770", "Amount due | CLP 79,980", "Warranty: 90 days",
    )  # fmt: skip
    assert found.kind == "factura"
    assert found.values == {
        "invoice_number": "56-44605", "purchase_date": "2025-03-12", "total": 79980, "warranty_days": 90,
        "issuer_rut": "77226849-1", "product_name": "Chaqueta Polar", "product_size": "L",
    }  # fmt: skip


def test_what_bears_no_tax_does_not_contradict_the_total() -> None:
    sums = ("MONTO NETO | 33.605", "19% I.V.A. | 6.385", "TOTAL | 59.980")
    assert read("FACTURA N° 44", "MONTO EXENTO | 19.990", *sums).fields["total"].confidence > 0.9
    assert read("FACTURA N° 44", *sums).fields["total"].confidence < 0.7


def test_a_tax_that_is_not_the_totals_makes_it_doubtful() -> None:
    assert read("BOLETA N° 44", "IVA 19% | 14.367", "TOTAL | 89.900").fields["total"].confidence < 0.7
    assert read("BOLETA N° 44", "IVA 19% | 14.366", "TOTAL | 89.980").fields["total"].confidence > 0.9


def test_a_delivery_note_proves_something_and_a_fee_for_work_no_purchase() -> None:
    note = read("GUÍA DE DESPACHO", "ELECTRÓNICA", "N° 7110", "Fecha: 08.05.2025", "Taladro | 1 | 64.990")
    fee = read("PEDRO SUPUESTO LARA", "RUT: 13.279.348-4", "BOLETA DE HONORARIOS", "N° 88", "Fecha: 12/03/2025",
               "Clases de inglés | 300.000", "Total Honorarios: $ | 300.000", "Total: | 256.500")  # fmt: skip
    assert (note.invoice_detected, note.kind) == (True, "comprobante")
    assert (fee.invoice_detected, fee.kind) == (False, "not_an_invoice")


def test_after_a_rut_that_was_misread_the_next_one_is_not_surely_the_issuers() -> None:
    rest = ("FACTURA N° 973", "2 de abril de 2025", "RUT 76.543.210-3")
    assert read("BUT 77,0G8.087-5", *rest, confidence=0.99).fields["issuer_rut"].confidence < 0.7
    assert read(*rest, confidence=0.99).fields["issuer_rut"].confidence > 0.9


def test_a_rut_glued_to_its_label_is_read() -> None:
    assert read("NOTA DE VENTA", "R.U.T.76.543.210-3", "Folio: 3365").values["issuer_rut"] == "76543210-3"


def test_a_misread_street_with_a_number_is_not_the_document() -> None:
    found = read("FACTURA ELECTRONICA", "Au. Araucaria N° 2310 - Chillán", "N° 5759483", "Fecha: 09/02/2026")
    assert found.values["invoice_number"] == "5759483"
