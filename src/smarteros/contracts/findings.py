"""A mistake in a contract file, with the place where it is."""

from __future__ import annotations

from collections.abc import Sequence

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model


class Finding(Model):
    """One mistake. ``code`` is a stable snake_case word, ``line`` counts from 1."""

    file: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code}: {self.message}"


class ContractError(ConfigError):
    """Contract files cannot be used; ``findings`` says where and why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("contract_invalid", "\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)
