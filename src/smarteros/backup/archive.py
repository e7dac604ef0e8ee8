"""Taking a backup's files out of its archive: only those its manifest names, and only as they were put in."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from pydantic import ValidationError

from smarteros.backup.manifest import MANIFEST, BackedUpFile, Manifest, file_hash
from smarteros.domain.errors import ConfigError

_LONGEST_MANIFEST = 16 * 1024 * 1024


def unpack(archive: Path, folder: Path) -> Manifest:
    """Write the files into an empty folder. ConfigError(code ``backup_damaged``) names what is amiss."""
    try:
        with tarfile.open(archive, "r:") as tar:
            manifest = _manifest(tar, archive)
            for file in manifest.files:
                _take_out(tar, file, folder)
    except (tarfile.TarError, OSError, KeyError) as error:
        raise _damaged(archive, str(error)) from error
    for file in manifest.files:
        path = folder / file.path
        if path.stat().st_size != file.bytes or file_hash(path) != file.sha256:
            raise _damaged(archive, f"{file.path} is not as it was put in")
    return manifest


def _manifest(tar: tarfile.TarFile, archive: Path) -> Manifest:
    first = tar.next()
    stream = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if stream is None:
        raise _damaged(archive, "it does not begin with a manifest")
    try:
        return Manifest.model_validate_json(stream.read(_LONGEST_MANIFEST))
    except ValidationError as error:
        raise _damaged(archive, f"its manifest is not one of this version ({error.error_count()} mistakes)") from None


def _take_out(tar: tarfile.TarFile, file: BackedUpFile, folder: Path) -> None:
    # The manifest's paths are of three known forms; the archive's own names, links and rights are not believed.
    stream = tar.extractfile(file.path)
    if stream is None:
        raise KeyError(f"{file.path} is no file")
    target = folder / file.path
    target.parent.mkdir(mode=0o700, exist_ok=True)
    target.touch(mode=0o600)
    with stream, target.open("wb") as written:
        shutil.copyfileobj(stream, written)


def _damaged(archive: Path, why: str) -> ConfigError:
    return ConfigError("backup_damaged", f"{archive} is no backup that can be restored: {why}.")
