"""Finds every kind of mistake in contract files, each with file and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smarteros.contracts.checks import check_contract
from smarteros.contracts.checks_between import Pair, check_between
from smarteros.contracts.findings import ContractError, Finding
from smarteros.contracts.migrations import read_current
from smarteros.contracts.models import Contract
from smarteros.contracts.parsing import parse_contract
from smarteros.contracts.schema import SCHEMA_FILE, schema_is_fresh


def lint(paths: Sequence[Path]) -> list[Finding]:
    """Check contract files, or all ``*.yml`` of folders.

    A single file is looked at together with the others of its folder (hand-offs and intents refer to them), but
    only its own mistakes are told.
    """
    asked = [file for path in paths for file in contract_files(path)]
    if not asked:
        return [Finding(file=str(path), line=1, code="no_contract", message="no *.yml here") for path in paths]
    together = sorted({file for path in asked for file in contract_files(path.parent)} | set(asked))
    findings, _ = check_files(together)
    findings += _schemas({file.parent for file in asked})
    shown = {str(file) for file in asked} | {str(file.parent / SCHEMA_FILE) for file in asked}
    return sorted((each for each in findings if each.file in shown), key=lambda each: (each.file, each.line))


def contract_files(path: Path) -> list[Path]:
    """List the contract files a path stands for."""
    return sorted(path.glob("*.yml")) if path.is_dir() else [path]


def check_files(files: Sequence[Path]) -> tuple[list[Finding], list[Contract]]:
    """Read and check files together; the contracts are those whose own types are right."""
    findings: list[Finding] = []
    pairs: list[Pair] = []
    for file in files:
        try:
            source, warnings = read_current(file)
            findings += warnings
            pairs.append((source, parse_contract(source)))
        except ContractError as error:
            findings += error.findings
    for source, contract in pairs:
        findings += check_contract(source, contract)
    if len(pairs) == len(files):
        # With a file missing from the picture, every reference to it would look like a second mistake.
        findings += check_between(pairs)
    return findings, [contract for _, contract in pairs]


def _schemas(folders: set[Path]) -> list[Finding]:
    message = "the schema is not that of the models: smos contract export schema writes it"
    return [
        Finding(file=str(folder / SCHEMA_FILE), line=1, code="stale_schema", message=message)
        for folder in sorted(folders)
        if (folder / SCHEMA_FILE).exists() and not schema_is_fresh(folder / SCHEMA_FILE)
    ]
