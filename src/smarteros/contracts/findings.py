"""A mistake in a contract file, with the place where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model


class Finding(Model):
    """One mistake, or a warning, which keeps no contract from being used.

    ``code`` is a stable snake_case word, ``line`` counts from 1.
    """

    file: str
    line: int
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        mark = "" if self.severity == "error" else "warning: "
        return f"{self.file}:{self.line}: {mark}{self.code}: {self.message}"


def mistakes(findings: Sequence[Finding]) -> list[Finding]:
    """Return those findings that keep a contract from being used."""
    return [finding for finding in findings if finding.severity == "error"]


class ContractError(ConfigError):
    """Contract files cannot be used; ``findings`` says where and why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("contract_invalid", "\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)
