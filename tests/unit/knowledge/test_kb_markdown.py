"""From the owner's Markdown to what a customer reads."""

from __future__ import annotations

import pytest

from smarteros.domain.errors import RejectedInputError
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.passages import MAX_PASSAGE_CHARS, passages_of

HOURS = """---
category: horarios
language: es
---
# Horarios

## ¿Cuándo abren?

Nuestro horario es:

- Lunes a Viernes: 9:00 a 18:00
* Sábados: 10:00 a 14:00

## ¿Y los **feriados**?
Los feriados no abrimos,
salvo en [diciembre](https://shop.test/dic).
<!-- revisar en enero -->
"""


def texts(markdown: str) -> list[str]:
    return [passage.text for passage in passages_of(parse_markdown("x.md", markdown))]


def test_front_matter_gives_category_language_and_figures():
    document = parse_markdown(
        "garantia.md", "---\ncategory: garantia\nlanguage: en\nwarranty_days: 90\n---\n# Warranty\n"
    )
    assert (document.name, document.title, document.category, document.language) == (
        "garantia.md", "Warranty", "garantia", "en",
    )  # fmt: skip
    assert document.facts == {"warranty_days": 90}
    assert "---" not in document.markdown


def test_a_file_without_front_matter_is_a_spanish_text_on_other_matters():
    document = parse_markdown("historia.md", "Abrimos en 1984.")
    assert (document.title, document.category, document.language) == ("historia", "otros", "es")
    assert texts("Abrimos en 1984.") == ["Abrimos en 1984."]


def test_each_heading_gives_a_passage_in_the_owners_words():
    passages = passages_of(parse_markdown("horarios.md", HOURS))
    assert [(p.title, p.text) for p in passages] == [
        ("¿Cuándo abren?", "Nuestro horario es:\n• Lunes a Viernes: 9:00 a 18:00\n• Sábados: 10:00 a 14:00"),
        ("¿Y los **feriados**?", "Los feriados no abrimos, salvo en diciembre: https://shop.test/dic."),
    ]


def test_wrapped_lines_are_joined_and_paragraphs_kept():
    assert texts("# T\nUna línea\nque sigue.\n\nOtra cosa.") == ["Una línea que sigue.\n\nOtra cosa."]


def test_numbered_steps_stay_numbered():
    assert texts("# T\nPasos:\n\n1. Foto\n2. Etiqueta") == ["Pasos:\n1. Foto\n2. Etiqueta"]


def test_tables_become_lists():
    assert texts("# T\n| Día | Hora |\n|---|---|\n| Lunes | 9:00 |") == ["• Día: Hora\n• Lunes: 9:00"]


def test_html_and_hidden_characters_are_removed():
    assert texts("# T\n<b>Hola</b>\u202e mundo <script>x</script>") == ["Hola mundo x"]


def test_a_heading_inside_a_code_fence_is_text():
    assert texts("# T\n```\n# no es título\n```") == ["# no es título"]


def test_long_sections_are_cut_between_paragraphs():
    long = "# T\n" + "\n\n".join(f"Párrafo {number} " + "palabra " * 60 for number in range(6))
    pieces = texts(long)
    assert len(pieces) > 1
    assert all(len(piece) <= MAX_PASSAGE_CHARS for piece in pieces)
    assert "Párrafo 5" in pieces[-1]


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("category: zapatos", "category 'zapatos' is not one of"),
        ("language: fr", "language 'fr' is not one of"),
        ("warranty_days: noventa", "warranty_days must be a whole number"),
        ("warranty_days: -1", "warranty_days must be a whole number"),
        ("autor: Juan", "front matter key 'autor' is unknown"),
        ("- una lista", "not a list of 'key: value' lines"),
        ("a: [", "front matter is not YAML"),
    ],
)
def test_a_wrong_front_matter_is_refused_with_the_files_name(front: str, reason: str):
    with pytest.raises(RejectedInputError, match=r"mala\.md") as refused:
        parse_markdown("mala.md", f"---\n{front}\n---\n# T\n")
    assert reason in str(refused.value)


def test_a_file_that_is_far_too_long_is_refused():
    with pytest.raises(RejectedInputError, match="limit"):
        parse_markdown("larga.md", "x" * 500_000)
