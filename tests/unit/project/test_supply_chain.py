"""What we install is known, pinned by its hash, and under licences that may come in."""

from __future__ import annotations

import importlib.util
import shutil
import tomllib
from pathlib import Path

import pytest
from tests.generated import ROOT
from tests.supply_chain import (
    EXTRAS,
    OURS,
    PYTHONS,
    REPORT,
    is_allowed,
    licence_of,
    needed,
    not_allowed,
    packages,
    report,
    sbom,
    stated,
)

LOCK = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))


def test_the_licence_report_is_that_of_the_lock() -> None:
    assert (ROOT / REPORT).read_text("utf-8") == report()


def test_no_licence_comes_in_that_is_not_on_the_list() -> None:
    assert not_allowed() == []


def test_a_licence_is_judged_by_all_its_parts() -> None:
    assert is_allowed("MIT OR GPL-3.0-only")
    assert not is_allowed("MIT AND GPL-3.0-only")
    assert not is_allowed("AGPL-3.0-only")
    assert is_allowed("GPL-3.0-or-later WITH GCC-exception-3.1")


def test_a_package_of_another_version_than_the_locks_has_no_known_licence() -> None:
    with pytest.raises(LookupError, match=r"uv.lock has 0.0.1"):
        licence_of("typer", "0.0.1")


def test_every_exception_is_still_one() -> None:
    inside = {(name, part["licence"]) for name, parts in stated()["inside"].items() for part in parts}
    for entry in stated()["exceptions"]:
        assert (entry["package"], entry["licence"]) in inside
        assert not is_allowed(entry["licence"])


def test_all_our_pythons_install_the_same() -> None:
    assert len({needed(EXTRAS, python) for python in PYTHONS}) == 1


def test_every_wheel_that_brings_libraries_along_is_looked_into() -> None:
    names = {package.name for package in packages()}
    assert set(stated()["inside"]) <= names
    specification = importlib.util.find_spec("numpy")
    assert specification is not None and specification.origin is not None
    installed = Path(specification.origin).parents[1]
    brought = {folder.name.removesuffix(".libs").replace("_", "-") for folder in installed.glob("*.libs")}
    assert brought & names
    assert brought & names <= set(stated()["inside"])


def test_what_we_vendored_is_there_with_its_notice() -> None:
    for entry in stated()["vendored"]:
        assert (ROOT / entry["where"]).exists()
        assert (
            entry["what"].split()[0].lower().removesuffix("'s") in (ROOT / entry["notice"]).read_text("utf-8").lower()
        )


def test_everything_that_is_installed_is_pinned_by_a_hash() -> None:
    run = needed(EXTRAS)
    for package in LOCK["package"]:
        if package["name"] in run:
            files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
            assert files and all(file["hash"].startswith("sha256:") for file in files), package["name"]


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv makes the SBOM of its lock, and is not here")
def test_the_sbom_names_each_package_with_version_licence_and_hashes() -> None:
    document = sbom()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    listed = {part["name"]: part for part in document["components"] if "bom-ref" in part}
    for package in packages():
        part = listed[package.name]
        assert part["version"] == package.version
        assert part["licenses"] == [{"expression": package.licence}]
        assert all(file["hashes"] for file in part["externalReferences"])
    assert set(listed) - {package.name for package in packages()} <= set(OURS)
    models = [part["name"] for outer in document["components"] for part in outer.get("components", [])]
    assert "Models: PP-OCRv6 of PaddleOCR" in models
