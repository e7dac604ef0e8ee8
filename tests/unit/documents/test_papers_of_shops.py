"""Papers as tills, billing programs and web shops print them, and what is no sale at all."""

from __future__ import annotations

import pytest
from tests.unit.documents.test_document_extract import read

HEAD = ("Comercial Puelche SpA", "RUT 76.543.210-3")
TITLED = (*HEAD, "BOLETA ELECTRONICA N° 884412")
GOODS = ("Taladro Percutor | 39.990", "TOTAL | 39.990")


@pytest.mark.parametrize(
    "lines",
    [
        ("BOLETA ELECTRONICA", "No. Doc: 1234567"),
        ("TICKET N° 1234567",),
        ("FACTURA ELECTRONICA", "N° 1234567", "Guía de despacho N° 884412"),
        ("NOTA DE CRÉDITO ELECTRÓNICA N° 1234567", "Anula Factura N° 884412"),
        ("N° de orden: 99821", "N° de boleta: 1234567"),
        ("BOLETA ELECTRÓNICA", "N° Transacción: 99887766", "Folio 1234567"),
        ("RECEIPT", "Receipt #: 1234567"),
        ("Invoice ID: 1234567",),
        ("FACTURA ELECTRONICA", "N° 1.234.567"),
        ("BOLETA ELECTRONICA N° 1 234 567",),
        ("N° Boleta | Fecha | Hora | Caja", "1234567 | 14/02/2025 | 12:10 | 3"),
        ("BOLETA N° 1234567 CAJA 4",),
    ],
)
def test_a_papers_own_number_is_told_from_the_others_on_it(lines: tuple[str, ...]) -> None:
    found = read(*HEAD, *lines, "Fecha: 14/02/2025", *GOODS)
    assert found.values["invoice_number"] == "1234567"


@pytest.mark.parametrize("line", ["Los Aromos N° 3450", "Irarrazaval N° 123"])
def test_the_number_of_a_house_alone_is_never_trusted(line: str) -> None:
    found = read(*HEAD, "BOLETA ELECTRONICA", line, "Fecha: 14/02/2025", *GOODS, confidence=0.99)
    assert "invoice_number" not in found.values or found.fields["invoice_number"].confidence < 0.7


@pytest.mark.parametrize(
    "lines",
    [
        ("Día | Mes | Año", "14 | 02 | 2025"),
        ("Fecha: 14 02 2025",),
        ("Fecha Venta: 14-feb-25",),
        ("14 de Febrero, 2025",),
        ("Fecha: 20250214 10:22",),
        ("Fecha: 2025-02-14T10:22:11",),
        ("Fecha: 14/O2/2025",),
        ("Fecha: l4/02/2025",),
        ("Cambios hasta el 16-03-2025", "14-02-2025 10:11"),
        ("Fecha despacho: 18-02-2025", "Fecha compra: 14-02-2025"),
        ("Fecha impresión: 20-02-2025", "Fecha emisión: 14-02-2025"),
        ("Fecha: 20-02-2025", "Fecha de Factura: 14-02-25"),
        ("Resolución 80 del 22/08/2014", "Fecha y hora: 14-02-2025 10:11"),
    ],
)
def test_the_day_of_issue_is_told_from_the_others(lines: tuple[str, ...]) -> None:
    found = read(*TITLED, *lines, *GOODS)
    assert (found.values["purchase_date"], found.values["product_name"]) == ("2025-02-14", "Taladro Percutor")


def test_a_day_of_payment_is_not_surely_the_day_of_issue() -> None:
    found = read(*TITLED, "Fecha de pago: 20-03-2025", *GOODS, confidence=0.99)
    assert found.fields["purchase_date"].confidence < 0.9


@pytest.mark.parametrize(
    "lines",
    [
        ("Monto a Pagar | $ 39.990",),
        ("Valor a pagar: $39.990.-",),
        ("T0TAL | 39.990",),
        ("TOTAI | 39. 990",),
        ("TOTAL$39.990",),
        ("TOTAL | CLP$ 39.990",),
        ("TOTAL | 39.990", "TOTAL AHORRO | 150.000"),
        ("TOTAL | 39.990", "Total puntos acumulados | 150.000"),
        ("Total bruto | 44.990", "Total descuentos | 5.000", "Total a pagar | 39.990"),
        ("Precio | $ 39.990",),
        ("Monto: $39.990",),
    ],
)
def test_the_amount_to_pay_is_told_from_other_sums(lines: tuple[str, ...]) -> None:
    assert read(*TITLED, "14/02/2025", "Polera Maule", *lines).values["total"] == 39990


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (("COD: 12345 TALADRO PERCUTOR", "1 x 39.990 | 39.990"), "TALADRO PERCUTOR"),
        (("SKU 881234567 TALADRO PERCUTOR | $ 39.990",), "TALADRO PERCUTOR"),
        (("[ZAP42] Zapatilla Trail | 1,00 Unidades | 39.990",), "Zapatilla Trail"),
        (("TALADRO PERCUTOR x1 | 39.990",), "TALADRO PERCUTOR"),
        (("1x Taladro Percutor | $39.990",), "Taladro Percutor"),
        (("1. Taladro Percutor | 1 | $39.990",), "Taladro Percutor"),
        (("Taladro Percutor $39.990",), "Taladro Percutor"),
        (("1 Taladro Percutor 39.990 39.990",), "Taladro Percutor"),
        (("Taladro Percutor 2 19.995 39.990",), "Taladro Percutor"),
        (("Taladro Percutor | 1 | $39.990.-",), "Taladro Percutor"),
        (("Taladro Percutor | 39.990 A",), "Taladro Percutor"),
        (("Item | Qty | Price", "Taladro Percutor | 1 | 39.990"), "Taladro Percutor"),
        (("DEPTO 112 HERRAMIENTAS", "7804321234567 TALADRO PERCUTOR", "1 x 39.990 | 39.990"), "TALADRO PERCUTOR"),
        (("TALADRO PERCUTOR | 7804321234567", "1 UN | 39.990"), "TALADRO PERCUTOR"),
        (("Producto Taladro Percutor",), "Taladro Percutor"),
        (("Producto", "Taladro Percutor"), "Taladro Percutor"),
    ],
)
def test_a_name_is_freed_from_what_is_printed_with_it(lines: tuple[str, ...], name: str) -> None:
    assert read(*TITLED, "Fecha: 14/02/2025", *lines, "TOTAL | 39.990").values["product_name"] == name


@pytest.mark.parametrize(
    "name",
    [
        "Caja Organizadora 30L", "Billetera Porta Tarjetas Cuero", "Café Grano Peso Neto 1 Kg", "Crema Total Repair",
        "Reloj Calendario Fecha Acero", "Zapato Número 38",
    ],
)  # fmt: skip
def test_goods_may_have_the_words_of_sums_and_payments_in_their_names(name: str) -> None:
    found = read(*TITLED, "14/02/2025", "Descripción | Valor", f"{name} | 39.990", "TOTAL | 39.990")
    assert (found.values["product_name"], found.values["total"]) == (name, 39990)
    assert [item.name for item in found.items] == [name]


def test_a_size_stands_in_a_column_of_its_own() -> None:
    found = read(*TITLED, "14/02/2025", "Producto | Talla | Total", "Zapatilla Trail | 42 | 54.990", "TOTAL | 54.990")
    assert (found.values["product_name"], found.values["product_size"]) == ("Zapatilla Trail", "42")
    assert [(item.size, item.quantity) for item in found.items] == [("42", None)]


def test_an_extended_warranty_is_not_the_papers_own() -> None:
    found = read(*TITLED, *GOODS, "Garantía extendida 24 meses", "Plazo garantía (días): 90")
    assert found.values["warranty_days"] == 90


@pytest.mark.parametrize(
    "lines",
    [
        ("COTIZACIÓN N° 884412", "Válida por 10 días"),
        ("FACTURA PROFORMA N° 884412",),
        ("PRESUPUESTO 884412",),
        ("Comprobante de transferencia", "N° de operación: 123456789"),
    ],
)
def test_an_offer_and_a_transfer_of_money_are_no_sale(lines: tuple[str, ...]) -> None:
    assert not read(*HEAD, *lines, "Fecha: 14/02/2025", *GOODS).invoice_detected
