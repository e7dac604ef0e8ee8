"""Makes a project directory out of the template that lies in this package; nothing that is there is touched."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Literal

from cryptography.fernet import Fernet

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model

TEMPLATE = Path(__file__).parent / "template"
# Names that would mean something to the tools of our own source tree.
_HIDDEN = {"env": ".env", "gitignore": ".gitignore"}
_FOR_ITS_OWNER = ".env"

State = Literal["created", "unchanged", "kept"]


class ProjectFile(Model):
    """One file of a project. ``kept``: it was there already and is not what we would write, so it stayed as it was."""

    path: str
    state: State


def make_project(directory: Path) -> list[ProjectFile]:
    """Write what the directory lacks of the template, in the order of the paths; done again it changes nothing.

    Secrets that are ours to choose are new random ones, in a file only its owner can read. Raises ConfigError
    ``project_unwritable`` when something cannot be read or written.
    """
    try:
        return [_make(directory, name, source) for name, source in sorted(_files())]
    except OSError as error:
        what = error.filename or directory
        raise ConfigError("project_unwritable", f"Cannot make the project: {what}: {error.strerror}.") from error


def _files() -> Iterator[tuple[str, Path]]:
    for source in TEMPLATE.rglob("*"):
        if source.is_file():
            name = source.relative_to(TEMPLATE).as_posix()
            yield _HIDDEN.get(name, name), source


def _make(directory: Path, name: str, source: Path) -> ProjectFile:
    target = directory / name
    text = source.read_text("utf-8")
    if name == _FOR_ITS_OWNER:
        text = Template(text).substitute(
            version=version("smarteros"),
            secrets_key=Fernet.generate_key().decode(),
            audit_key=Fernet.generate_key().decode(),
            operator_token=secrets.token_urlsafe(32),
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Never through a link, and never over what somebody else has just written.
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if name == _FOR_ITS_OWNER else 0o644)
    except FileExistsError:
        same = target.is_file() and target.read_bytes() == text.encode()
        return ProjectFile(path=name, state="unchanged" if same else "kept")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return ProjectFile(path=name, state="created")
