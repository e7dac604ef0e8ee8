"""Reading YAML: what is refused, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from smarteros.contracts.findings import ContractError
from smarteros.contracts.source import MAX_BYTES, parse_source, read_source


def test_every_key_and_item_knows_its_line() -> None:
    source = parse_source("a.yml", "a: 1\nb:\n  - x\n  - {c: 2}\n")
    assert source.line_of("a") == 1
    assert source.line_of("b", 0) == 3
    assert source.line_of("b", 1, "c") == 4
    assert source.line_of("b", 1, "c", "not there") == 4


def test_plain_words_stay_words() -> None:
    data = parse_source("a.yml", "a: 9:00\nb: no\nc: 2025-11-01\nd: 007\ne: true\nf: 5\ng: 0.5\nh: ~\n").data
    assert data == {"a": "9:00", "b": "no", "c": "2025-11-01", "d": "007", "e": True, "f": 5, "g": 0.5, "h": None}


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("a: [\n", 2, "yaml_syntax"),
        ("a: 1\n  b: 2\n", 2, "yaml_syntax"),
        ("", 1, "yaml_syntax"),
        ("a: 1\n---\nb: 2\n", 2, "yaml_syntax"),
        ("a: 1\nb: 2\na: 3\n", 3, "duplicate_key"),
        ("a: &x 1\nb: *x\n", 1, "yaml_alias"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "yaml_syntax"),
        ("a: 1\nb: !!binary aGk=\n", 2, "yaml_syntax"),
        ("a: 1\n? [1]\n: 2\n", 2, "yaml_syntax"),
        ("a:\n " + "[" * 200 + "\n", 2, "yaml_limit"),
        ("a: \x00\n", 1, "yaml_syntax"),
    ],
)
def test_yaml_outside_the_subset_is_refused_with_its_line(text: str, line: int, code: str) -> None:
    with pytest.raises(ContractError) as refused:
        parse_source("a.yml", text)
    (finding,) = refused.value.findings
    assert (finding.line, finding.code) == (line, code)


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "big.yml"
    path.write_bytes(b"a: " + b"x" * MAX_BYTES)
    with pytest.raises(ContractError, match="larger"):
        read_source(path)


def test_a_file_that_is_missing_or_no_text_is_one_finding(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="file_unreadable"):
        read_source(tmp_path / "nothing.yml")
    (tmp_path / "latin1.yml").write_bytes("a: ñ".encode("latin-1"))
    with pytest.raises(ContractError, match="UTF-8"):
        read_source(tmp_path / "latin1.yml")
