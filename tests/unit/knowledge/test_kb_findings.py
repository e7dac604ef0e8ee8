"""Texts that contradict each other, are over or unapproved are named; texts that do not are left alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from smarteros.domain.knowledge import Document, Finding
from smarteros.knowledge.findings import findings
from smarteros.knowledge.formats.files import read_documents
from smarteros.knowledge.indexed import indexed
from smarteros.knowledge.markdown import parse_markdown

TODAY = date(2026, 11, 23)
DATA = Path(__file__).parent / "data"


def found_in(*documents: Document) -> list[Finding]:
    return list(findings(documents, indexed(1, documents, before=None).index.passages, TODAY))


def two(first: str, second: str) -> list[Finding]:
    return found_in(parse_markdown("a.md", first), parse_markdown("b.md", second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("## ¿Puedo devolver?\nTienes 30 días para devolver.", "## Cambios\nHay 15 días de plazo para cambios."),
        ("## ¿Cuánto dura la garantía?\nDura 90 días.", "## How long is the warranty?\nThe warranty lasts 120 days."),
        ("## ¿Y mi plata?\nEl reembolso tarda 7 días.", "## Reembolso\nEl reembolso es en 10 días hábiles."),
        ("## Envío\nEl envío es gratis desde $50.000.", "## Despacho\nEl despacho es gratis desde $40.000."),
        ("## ¿Hay cuotas?\nHasta 3 cuotas sin interés.", "## Pagos\nPuedes pagar en 6 cuotas."),
        ("---\nreturn_days: 30\n---\n# A\nx", "---\nreturn_days: 15\n---\n# B\ny"),
        ("## Horario\nLunes a viernes de 9:00 a 18:00.", "## ¿A qué hora abren?\nLunes a sábado de 10:00 a 19:00."),
        ("## ¿Cuánto vale la gift card?\nVale $10.000.", "## ¿Cuánto vale la gift card?\nVale $20.000."),
    ],
)  # fmt: skip
def test_two_texts_that_give_one_matter_different_figures_are_a_conflict(first: str, second: str):
    found = two(first, second)
    assert [each.kind for each in found] == ["conflict"]
    assert {passage.split(":")[0] for passage in found[0].passages} == {"a.md", "b.md"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("## ¿Puedo devolver?\nTienes 30 días para devolver.", "## Cambios\nHay 30 días de plazo para cambios."),
        ("## Cambios\nHay 30 días para cambios.", "## Reembolso\nEl reembolso es en 10 días hábiles."),
        ("## Garantía de zapatos\nDura 90 días.", "## Garantía de mochilas\nDura 120 días."),
        ("## Garantía\nDura 90 días.", "## Garantía legal\nLa garantía legal dura 180 días."),
        ("## Envío\nEl envío cuesta $3.990.", "## Gratis\nEs gratis desde $50.000."),
        ("## Horario\nLunes a viernes de 9:00 a 18:00.", "## ¿Cuándo retiro?\nDe lunes a viernes de 10:00 a 17:00."),
        ("---\nreturn_days: 30\n---\n# A\nx", "---\nreturn_days: 15\nvalid_until: 2026-01-01\n---\n# B"),
    ],
)  # fmt: skip
def test_texts_about_different_things_do_not_contradict_each_other(first: str, second: str):
    assert two(first, second) == []


def test_expired_coming_and_unapproved_texts_are_named():
    documents = [
        parse_markdown("vieja.md", "---\nvalid_until: 2026-11-22\n---\n# Promo\n30 % de descuento."),
        parse_markdown("nueva.md", "---\nvalid_from: 2026-11-24\n---\n# Promo\n40 % de descuento."),
        parse_markdown("borrador.md", "---\napproval: draft\n---\n# Promo\n50 % de descuento."),
        parse_markdown("hoy.md", "---\nvalid_from: 2026-11-23\nvalid_until: 2026-11-23\n---\n# Promo\n60 %."),
    ]
    assert {each.passages[0].split(":")[0]: each.kind for each in found_in(*documents)} == {
        "vieja.md": "expired", "nueva.md": "not_yet_valid", "borrador.md": "draft",
    }  # fmt: skip


def test_a_shop_in_order_gives_no_warning():
    assert found_in(*read_documents([DATA / "shop_faq.json"])) == []
