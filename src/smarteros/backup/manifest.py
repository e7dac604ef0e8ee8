"""What a backup holds, and what it says of itself."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field

from smarteros.domain.audit_chain import ChainHead
from smarteros.domain.model import Model

MANIFEST = "manifest.json"
DATABASE = "database.dump"
SECRETS = "secrets.enc"
CONTRACTS = "contracts"
KEY_FILES = ("secrets.key", "audit.key")
"""Keys of the data directory. No backup holds them: who has a copy of the data must not have what opens it."""

_PATH = rf"^({DATABASE}|{SECRETS}|{CONTRACTS}/[A-Za-z0-9_.-]+\.yml)$"


class BackedUpFile(Model):
    """A file of a backup, by its path in the archive."""

    path: str = Field(pattern=_PATH)
    bytes: int = Field(ge=0)
    sha256: str


class Manifest(Model):
    """First member of the archive. All rows are as they were at one instant, at or after ``made_at``.

    ``revision`` is the schema's; ``rows`` are counted by table, ``heads`` are the ends of the audit chains by tenant.
    ``secrets`` tells where they are kept: in the archive's encrypted file, in Vault, or that there were none yet.
    """

    format: Literal[1] = 1
    made_at: AwareDatetime
    version: str
    revision: str
    files: tuple[BackedUpFile, ...]
    rows: dict[str, int]
    heads: dict[str, ChainHead]
    secrets: Literal["file", "vault", "none"]

    @property
    def contracts(self) -> dict[str, str]:
        """Hashes of the contracts by file name."""
        folder = f"{CONTRACTS}/"
        return {file.path.removeprefix(folder): file.sha256 for file in self.files if file.path.startswith(folder)}


class Made(Model):
    """A backup that was made. ``keys`` are the places of what opens it, to be kept elsewhere."""

    file: Path
    bytes: int
    manifest: Manifest
    keys: tuple[str, ...]


class Restored(Model):
    """An installation as it was restored and checked.

    ``sealed`` is False when the key of the audit's seals was not there: chains were checked from event to event then,
    and their seals were not. ``audit_findings`` say where chains are not whole; hashes and rows being right, they were
    not when the backup was made. ``contracts_differ`` names files that are not those this version runs with.
    """

    data_dir: Path
    made_at: datetime
    version: str
    rows: int
    chains: int
    audit_events: int
    audit_findings: tuple[str, ...]
    sealed: bool
    secrets: Literal["opened", "left_out", "vault", "none"]
    waiting_turns: int
    contracts_differ: tuple[str, ...]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
