"""Whatever file a shop keeps its answers in, they are read; whatever a stranger made of it, it is refused."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Document, Passage
from smarteros.knowledge.formats.files import MAX_TEXT_BYTES, read_documents
from smarteros.knowledge.passages import MAX_PASSAGE_CHARS, passages_of

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DATA = Path(__file__).parent / "data"


def read(tmp_path: Path, name: str, content: str | bytes) -> Document:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_documents([path])[0]


def passages(tmp_path: Path, name: str, content: str | bytes) -> list[Passage]:
    return list(passages_of(read(tmp_path, name, content)))


def pairs(tmp_path: Path, name: str, content: str | bytes) -> list[tuple[str, str]]:
    return [(p.title, p.text) for p in passages(tmp_path, name, content)]


def docx(body: str, *, styles: str | None = None, document: bytes | None = None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        xml = f'<?xml version="1.0"?><w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", document if document is not None else xml)
        if styles is not None:
            archive.writestr("word/styles.xml", f'<w:styles xmlns:w="{W}">{styles}</w:styles>')
    return target.getvalue()


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def pdf(*lines: str) -> bytes:
    """Write the smallest PDF that has these lines as text."""
    shown = " T* ".join(f"({line}) Tj" for line in lines)
    stream = f"BT /F1 12 Tf 14 TL 50 750 Td {shown} ET".encode("cp1252")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    written = b"%PDF-1.4\n"
    places: list[int] = []
    for number, content in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj%s endobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return written + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start


ENTRY = [("¿Cuánto demora?", "Demora 3 días.")]


@pytest.mark.parametrize(
    "exported",
    [
        [{"question": "¿Cuánto demora?", "answer": "Demora 3 días."}],
        [{"pregunta": "¿Cuánto demora?", "respuesta": "Demora 3 días.", "id": 7}],
        {"preguntas": [{"Pregunta": "¿Cuánto demora?", "RESPUESTA": "Demora 3 días."}]},
        {"faq": {"items": [{"q": "¿Cuánto demora?", "a": "Demora 3 días."}]}},
        {"data": [{"title": "¿Cuánto demora?", "content": "<p>Demora <b>3 días</b>.</p>"}]},
        {"¿Cuánto demora?": "Demora 3 días."},
        {"Despachos": {"¿Cuánto demora?": "Demora 3 días."}},
        [{"preguntas": ["¿Cuánto demora?", "¿Cuándo llega?"], "respuestas": ["Demora 3 días."]}],
        {
            "@type": "FAQPage",
            "mainEntity": [
                {"@type": "Question", "name": "¿Cuánto demora?", "acceptedAnswer": {"text": "Demora 3 días."}}
            ],
        },
        [{"question": {"es": "¿Cuánto demora?"}, "answer": {"es": "Demora 3 días."}}],
        [{"pregunta_es": "¿Cuánto demora?", "respuesta_es": "Demora 3 días."}],
    ],
)
def test_json_exports_are_read_in_their_many_shapes(tmp_path: Path, exported: Any):
    assert pairs(tmp_path, "faq.json", json.dumps(exported)) == ENTRY


def test_an_entry_in_two_languages_gives_an_answer_in_each(tmp_path: Path):
    entry = {"question_es": "¿Hay metro?", "answer_es": "Sí.", "question_en": "Is there a metro?", "answer_en": "Yes."}
    found = passages(tmp_path, "faq.json", json.dumps([entry]))
    assert [(p.language, p.text) for p in found] == [("es", "Sí."), ("en", "Yes.")]


def test_json_lines_are_read(tmp_path: Path):
    lines = '{"pregunta": "¿Uno?", "respuesta": "1"}\n\n{"pregunta": "¿Dos?", "respuesta": "2"}\n'
    assert pairs(tmp_path, "faq.jsonl", lines) == [("¿Uno?", "1"), ("¿Dos?", "2")]


@pytest.mark.parametrize(
    ("written", "category"),
    [
        ("Despachos", "envios"), ("faq_delivery", "envios"), ("Medios de pago", "pago"), ("faq_schedule", "horarios"),
        ("Cambios y devoluciones", "devoluciones"), ("faq_phone", "contacto"), ("Ubicación", "ubicacion"),
        ("garantías", "garantia"), ("shipping", "envios"), ("faq_location", "ubicacion"),
        ("faq_refunds", "devoluciones"),
    ],
)  # fmt: skip
def test_categories_are_known_by_the_names_shops_give_them(tmp_path: Path, written: str, category: str):
    entry = {"pregunta": "¿Y eso?", "respuesta": "Así.", "categoria": written}
    assert passages(tmp_path, "faq.json", json.dumps([entry]))[0].category == category


def test_an_entry_says_until_when_it_holds_and_whether_it_is_approved(tmp_path: Path):
    entry = {
        "pregunta": "¿Hay cuotas?", "respuesta": "3.", "estado": "Borrador", "vigente_desde": "2026-01-01",
        "vigente_hasta": "31/12/2026", "variantes": ["en cuotas"],
    }  # fmt: skip
    found = passages(tmp_path, "faq.json", json.dumps([entry]))[0]
    assert (found.approval, found.valid_from, found.valid_until) == ("draft", date(2026, 1, 1), date(2026, 12, 31))
    assert found.also == ("en cuotas",)


def test_front_matter_says_the_same_of_a_markdown_file(tmp_path: Path):
    front = (
        "---\ncategoria: Despachos\nvalid_from: 2026-12-15\nvigente_hasta: 28/02/2027\nestado: borrador\n---\n# E\nx"
    )
    document = read(tmp_path, "e.md", front)
    assert (document.category, document.approval) == ("envios", "draft")
    assert (document.valid_from, document.valid_until) == (date(2026, 12, 15), date(2027, 2, 28))


@pytest.mark.parametrize(
    "markdown",
    [
        "# FAQ\n## ¿Cuánto demora?\nDemora 3 días.\n",
        "# FAQ\n\n**¿Cuánto demora?**\n\nDemora 3 días.\n",
        "# FAQ\nP: ¿Cuánto demora?\nR: Demora 3 días.\n",
        "# FAQ\n**Pregunta:** ¿Cuánto demora?\n\n**Respuesta:** Demora 3 días.\n",
    ],
)
def test_markdown_questions_are_found_however_they_are_marked(tmp_path: Path, markdown: str):
    assert pairs(tmp_path, "faq.md", markdown) == ENTRY


def test_a_heading_that_names_a_matter_gives_it_to_the_questions_below(tmp_path: Path):
    markdown = "# Preguntas\n## Despachos\n### ¿Y eso?\nAsí.\n## Garantía\n### ¿Y esto?\nAsá.\n"
    assert [p.category for p in passages(tmp_path, "faq.md", markdown)] == ["envios", "garantia"]


def test_a_long_answer_is_split_between_sentences_and_keeps_its_title(tmp_path: Path):
    answer = " ".join(f"Esta es la frase número {number} de la respuesta." for number in range(80))
    found = passages(tmp_path, "faq.json", json.dumps([{"q": "¿Qué?", "a": answer}]))
    assert len(found) > 1
    assert {p.title for p in found} == {"¿Qué?"}
    assert all(len(p.text) <= MAX_PASSAGE_CHARS and p.text.endswith(".") for p in found)
    assert " ".join(p.text for p in found) == answer


def test_a_word_document_is_read_by_its_headings_lists_and_tables(tmp_path: Path):
    style = '<w:style w:styleId="{}"><w:name w:val="{}"/></w:style>'
    styles = style.format("T1", "Título 1") + style.format("T2", "heading 2")
    body = (
        paragraph("Despachos", '<w:pStyle w:val="T1"/>')
        + paragraph("¿Cuánto cuesta?", '<w:pStyle w:val="T2"/>')
        + paragraph("Depende:")
        + paragraph("Santiago $3.990", "<w:numPr/>")
        + paragraph("¿Cuánto demora?", '<w:pStyle w:val="T2"/>')
        + f"<w:tbl><w:tr><w:tc>{paragraph('Talca')}</w:tc><w:tc>{paragraph('3 días')}</w:tc></w:tr></w:tbl>"
    )
    found = passages(tmp_path, "despachos.docx", docx(body, styles=styles))
    assert [(p.title, p.text) for p in found] == [
        ("¿Cuánto cuesta?", "Depende:\n• Santiago $3.990"),
        ("¿Cuánto demora?", "• Talca: 3 días"),
    ]
    assert {p.category for p in found} == {"envios"}


def test_bold_and_lone_questions_of_a_word_document_are_its_headings(tmp_path: Path):
    body = "".join(paragraph(text) for text in ("¿Uno?", "Primera.", "¿Dos?", "Segunda."))
    assert pairs(tmp_path, "faq.docx", docx(body)) == [("¿Uno?", "Primera."), ("¿Dos?", "Segunda.")]


def test_a_page_is_read_without_what_is_not_its_text(tmp_path: Path):
    page = """<html><head><title>Ayuda</title><style>p{}</style></head><body><nav>Inicio</nav>
    <h2>¿Cómo pago?</h2><p>Con <b>débito</b> o<br>crédito: <a href="https://shop.test/p">ver</a></p>
    <details><summary>¿Hay cuotas?</summary><ul><li>3 sin interés</li><li>6 con</li></ul></details>
    <script>alert(1)</script><footer>Pie</footer></body></html>"""
    assert pairs(tmp_path, "ayuda.html", page) == [
        ("¿Cómo pago?", "Con débito o crédito: ver (https://shop.test/p)"),
        ("¿Hay cuotas?", "• 3 sin interés\n• 6 con"),
    ]


def test_the_questions_a_page_declares_to_search_engines_are_taken_from_there(tmp_path: Path):
    declared = {"@type": "FAQPage", "mainEntity": [{"name": "¿Uno?", "acceptedAnswer": {"text": "Sí."}}]}
    page = f'<title>T</title><script type="application/ld+json">{json.dumps(declared)}</script><p>Otra cosa</p>'
    assert pairs(tmp_path, "p.html", page) == [("¿Uno?", "Sí.")]


def test_a_pdf_with_a_text_layer_is_read(tmp_path: Path):
    content = pdf("¿Cómo pago?", "Con débito y", "crédito.", "¿Hay cuotas?", "Tres sin interés.")
    assert pairs(tmp_path, "faq.pdf", content) == [
        ("¿Cómo pago?", "Con débito y crédito."),
        ("¿Hay cuotas?", "Tres sin interés."),
    ]


def test_files_below_folders_are_named_by_their_path(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.md").write_text("# Uno\nx")
    (tmp_path / "x.md").write_text("# Dos\nx")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "y.md").write_text("# No\nx")
    assert {d.name for d in read_documents([tmp_path])} == {"a/x.md", "x.md"}


def test_a_file_in_an_old_encoding_is_read(tmp_path: Path):
    assert read(tmp_path, "viejo.md", "# Año Ñandú\nSí".encode("cp1252")).title == "Año Ñandú"


def test_the_language_of_an_entry_is_seen_when_it_is_not_said(tmp_path: Path):
    entries = [
        {"q": "Where are you?", "a": "We are in the centre of the city."},
        {"q": "¿Dónde?", "a": "En el centro."},
    ]
    assert [p.language for p in passages(tmp_path, "f.json", json.dumps(entries))] == ["en", "es"]


DEEP_JSON = '{"a":' * 40 + '{"q": "¿?", "a": "x"}' + "}" * 40
VERY_DEEP_JSON = "[" * 200_000
DEEP_HTML = "<div>" * 5_000 + "x"
DEEP_XML = f'<w:document xmlns:w="{W}">{"<w:p>" * 500}{"</w:p>" * 500}</w:document>'.encode()
BOMB_XML = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b"{not json", "not JSON"),
        ("a.json", b"[]", "no entry with a question"),
        ("a.json", DEEP_JSON.encode(), "nested deeper"),
        ("a.json", VERY_DEEP_JSON.encode(), "JSON"),
        ("a.jsonl", b'{"q": "a", "a": "b"}\n{', "line 2"),
        ("a.html", DEEP_HTML.encode(), "nested deeper"),
        ("a.html", b"<script>x</script>", "no text"),
        ("a.docx", b"PK\x03\x04 no zip", "not a Word document"),
        ("a.docx", docx("", document=BOMB_XML), "without declarations"),
        ("a.docx", docx("", document=BOMB_XML.decode().encode("utf-16")), "without declarations"),
        ("a.docx", docx("", document=DEEP_XML), "nested deeper"),
        ("a.docx", docx("", document=b" " * 21_000_000), "unpacks to more than"),
        ("a.docx", docx("", document=b"<open>"), "not XML"),
        ("a.docx", docx(""), "no text"),
        ("a.pdf", b"%PDF-1.4 nothing", "cannot be opened"),
        ("a.pdf", pdf(""), "no text layer"),
        ("a.md", b"\x00\x01\x02\xff\xfe" * 50, "not a text file"),
        ("a.md", b"---\na: &x [1]\nb: *x\n---\n", "anchors"),
        ("a.md", b"x" * (MAX_TEXT_BYTES + 1), "larger than"),
        ("a.md", b"---\nvalid_until: manana\n---\n", "not a day"),
    ],
)  # fmt: skip
def test_hostile_and_broken_files_are_refused_with_a_sentence(tmp_path: Path, name: str, content: bytes, says: str):
    with pytest.raises(RejectedInputError, match=says):
        read(tmp_path, name, content)


def test_a_docx_that_claims_to_be_small_is_counted_while_it_unpacks(tmp_path: Path):
    bomb = bytearray(docx("", document=b" " * 30_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(RejectedInputError):
        read(tmp_path, "bomb.docx", bytes(bomb))


def test_the_shop_of_the_tests_is_read_whole(tmp_path: Path):
    found = passages_of(read_documents([DATA / "shop_faq.json"])[0])
    assert len(found) == 40
    assert {p.category for p in found} == {
        "horarios", "ubicacion", "pago", "envios", "devoluciones", "garantia", "contacto", "otros",
    }  # fmt: skip
