"""What is read out of messages, each as its customer meant it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import base_gazetteer

TODAY = date(2025, 11, 17)  # a Monday


@pytest.fixture(scope="module")
def extractor() -> EntityExtractor:
    return EntityExtractor(base_gazetteer())


def named(extractor: EntityExtractor, text: str, **options: Any) -> dict[str, Any]:
    return extractor.extract(text, today=TODAY, **options).entities.model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("zapatos de vestir cuero negro 41", {"category": "zapatos", "color": "negro", "size": "41"}),
        ("botas nº 40", {"category": "botas", "size": "40"}),
        ("sneakers size 9 US in white", {"category": "zapatillas", "size": "US 9", "color": "blanco"}),
        ("2 poleras talla m negras", {"category": "poleras", "size": "M", "color": "negro", "quantity": 2}),
        ("calzo 38 y medio", {"size": "38.5"}),
        ("botas talla 99", {"category": "botas", "size": "99"}),
        ("black dress, medium", {"category": "vestidos", "color": "negro", "size": "M"}),
        ("pedí 39 y soy 40", {"size": "40"}),
        ("me llegó M y necesito L", {"size": "L"}),
        ("tele de 55 pulgadas", {"category": "televisores"}),
        ("un notebook con 16 gb", {"category": "notebooks"}),
    ],
)
def test_things_and_sizes_are_read(extractor: EntityExtractor, text: str, entities: dict[str, Any]):
    assert named(extractor, text) == entities


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("entre 20 y 30 mil", {"price_min": 20_000, "price_max": 30_000}),
        ("de $20.000 a $30.000", {"price_min": 20_000, "price_max": 30_000}),
        ("menos de 40 lucas", {"price_max": 40_000}),
        ("under 30k", {"price_max": 30_000}),
        ("menos de medio millón", {"price_max": 500_000}),
        ("tengo cincuenta lucas", {"price_max": 50_000}),
        ("más de 100 mil", {"price_min": 100_000}),
        ("el de 39990", {"amount": 39_990}),
        ("me cobraron $30.000", {"amount": 30_000}),
        ("son 2 o 3", {}),
        ("en 12 cuotas", {}),
    ],
)
def test_prices_are_whole_pesos(extractor: EntityExtractor, text: str, entities: dict[str, Any]):
    assert named(extractor, text) == entities


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("mi factura es INV-2025-001", {"invoice_number": "INV-2025-001"}),
        ("inv 2025 001", {"invoice_number": "INV-2025-001"}),
        ("la INV/2026/00042", {"invoice_number": "INV/2026/00042"}),
        ("¿la boleta B-002310 tiene garantía?", {"invoice_number": "B-002310"}),
        ("boleta n° 4521", {"invoice_number": "4521"}),
        ("folio 8812", {"invoice_number": "8812"}),
        ("orden #1001", {"order_number": "1001"}),
        ("el pedido número 10234", {"order_number": "10234"}),
        ("mi rut es 12.345.678-5", {"rut": "12345678-5"}),
        ("mi rut es 12.345.678-9", {}),
        ("llámenme al 9 7954 0471", {"phone": "+56979540471"}),
        ("escriban a Juan.Perez@correo.cl", {"email": "juan.perez@correo.cl"}),
        ("el artículo ZRA-42", {"sku": "ZRA-42"}),
        ("tengo el cupón VERANO10", {"coupon": "VERANO10"}),
        ("mándame 3 unidades", {"quantity": 3}),
        ("quiero dos de esos", {"quantity": 2}),
    ],
)
def test_numbers_are_what_they_name(extractor: EntityExtractor, text: str, entities: dict[str, Any]):
    assert named(extractor, text) == entities


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("lo compré ayer", "2025-11-16"),
        ("antes de ayer", "2025-11-15"),
        ("el viernes pasado", "2025-11-14"),
        ("hace dos semanas", "2025-11-03"),
        ("el 15 de octubre", "2025-10-15"),
        ("el 20 de diciembre", "2024-12-20"),
        ("15/10/2025", "2025-10-15"),
        ("on October 3, 2025", "2025-10-03"),
    ],
)
def test_days_are_calendar_days(extractor: EntityExtractor, text: str, day: str):
    assert named(extractor, text)["date"] == day


def test_a_day_that_does_not_exist_is_not_read(extractor: EntityExtractor):
    assert "date" not in named(extractor, "el 31/02/2025")


def test_without_a_clock_relative_days_are_left_alone(extractor: EntityExtractor):
    assert extractor.extract("lo compré ayer").entities.date is None


@pytest.mark.parametrize(("text", "category"), [("zapatiyas", "zapatillas"), ("audifonoss", "audífonos")])
def test_mistyped_things_are_recognised(extractor: EntityExtractor, text: str, category: str):
    assert named(extractor, f"busco {text}")["category"] == category


@pytest.mark.parametrize("text", ["me falta algo", "una falla de fábrica", "el banco estado", "la calle", "contacto"])
def test_words_that_only_look_mistyped_are_left_alone(extractor: EntityExtractor, text: str):
    assert named(extractor, text) == {}


def test_a_colour_that_is_not_wanted_is_not_searched_for(extractor: EntityExtractor):
    assert named(extractor, "botas que no sean negras") == {"category": "botas"}


def test_a_bare_number_is_a_size_only_where_the_talk_is_of_clothes(extractor: EntityExtractor):
    assert named(extractor, "¿y en 43?") == {}
    assert named(extractor, "¿y en 43?", about_sizes=True) == {"size": "43"}
