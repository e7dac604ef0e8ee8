"""The wheels: everything a run needs is inside, and an installed one works away from the source tree."""

from __future__ import annotations

import email
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest
from tests.generated import ROOT

needs_uv = pytest.mark.skipif(shutil.which("uv") is None, reason="uv builds and installs the wheels, and is not here")
installs = pytest.mark.skipif(
    os.environ.get("SMOS_PROVE_WHEEL") != "1", reason="installs 150 packages into a new environment: `just prove-wheel`"
)
SOURCES = {"smarteros": ROOT / "src" / "smarteros", "smarteros_sandbox": ROOT / "sandbox" / "smarteros_sandbox"}


@dataclass(frozen=True)
class Wheel:
    """A built wheel, opened."""

    path: Path
    files: frozenset[str]
    metadata: Message
    entry_points: str

    def bytes_of(self, name: str) -> bytes:
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(name)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wheel]:
    """Both wheels by their package, made from their source distributions as a publisher makes them."""
    folder = tmp_path_factory.mktemp("dist")
    command = ["uv", "build", "--quiet", "--offline", "--all-packages", "--out-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    return {package: _opened(next(folder.glob(f"{package}-*.whl"))) for package in SOURCES}


def _opened(path: Path) -> Wheel:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        info = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
        return Wheel(
            path=path,
            files=frozenset(names),
            metadata=email.message_from_bytes(archive.read(f"{info}/METADATA")),
            entry_points=archive.read(f"{info}/entry_points.txt").decode(),
        )


@needs_uv
@pytest.mark.parametrize("package", SOURCES)
def test_a_wheel_holds_every_file_of_its_package_and_nothing_else(wheels: dict[str, Wheel], package: str) -> None:
    source = SOURCES[package]
    wanted = {
        path.relative_to(source.parent).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = {name for name in wheels[package].files if ".dist-info/" not in name}
    assert inside == wanted
    assert f"{package}/py.typed" in inside
    # What is no Python is what packers forget.
    kinds = {Path(name).suffix for name in inside}
    assert kinds >= ({".html", ".css", ".js", ".yml", ".npz", ".j2", ".svg"} if package == "smarteros" else {".gz"})


@needs_uv
def test_the_contracts_are_inside_as_they_are_in_the_source_tree(wheels: dict[str, Wheel]) -> None:
    packed = "smarteros/project/template/contracts/"
    inside = {name.removeprefix(packed) for name in wheels["smarteros"].files if name.startswith(packed)}
    assert inside == {path.name for path in (ROOT / "contracts").iterdir()}
    for name in inside:
        assert wheels["smarteros"].bytes_of(packed + name) == (ROOT / "contracts" / name).read_bytes()


@needs_uv
def test_a_wheel_says_who_may_use_it_and_how_it_is_called(wheels: dict[str, Wheel]) -> None:
    product, sandbox = wheels["smarteros"], wheels["smarteros_sandbox"]
    for wheel in (product, sandbox):
        assert wheel.metadata["License-Expression"] == "Apache-2.0"
        assert {Path(name).name for name in wheel.metadata.get_all("License-File", [])} == {"LICENSE", "NOTICE"}
    assert "smos = smarteros.cli.main:main" in product.entry_points
    assert "smarteros = smarteros.cli.main:main" in product.entry_points
    version = sandbox.metadata["Version"]
    assert f"smarteros-sandbox=={version} ; extra == 'demo'" in product.metadata.get_all("Requires-Dist", [])


@dataclass(frozen=True)
class Installed:
    """An environment with nothing in it but the wheel and what it asks for."""

    programs: Path
    packages: frozenset[str]

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        program = [str(self.programs / command[0]), *command[1:]]
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("SMOS_", "PYTHON"))}
        return subprocess.run(program, check=False, env=plain, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Wheel], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    place = tmp_path_factory.mktemp("environment")
    python = place / "bin" / "python"
    # No configuration: a user has none of our overrides.
    uv = ["uv", "--quiet", "--no-config"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(place)], check=True, timeout=120, cwd=place)
    wheel = wheels["smarteros"].path
    wanted = ["--find-links", str(wheel.parent), f"smarteros[demo] @ {wheel.as_uri()}"]
    subprocess.run([*uv, "pip", "install", "--python", str(python), *wanted], check=True, timeout=900, cwd=place)
    listing = [*uv, "pip", "list", "--python", str(python), "--format", "json"]
    told = subprocess.run(listing, check=True, capture_output=True, text=True, timeout=120, cwd=place).stdout
    yield Installed(place / "bin", frozenset(package["name"] for package in json.loads(told)))
    shutil.rmtree(place)


@needs_uv
@installs
def test_a_plain_install_brings_nothing_that_our_own_environment_overrides(installed: Installed) -> None:
    assert installed.packages >= {"smarteros", "smarteros-sandbox", "opencv-python-headless"}
    # A second OpenCV would overwrite the first one's files; a language model is nobody's default.
    assert not installed.packages & {"opencv-python", "llama-cpp-python", "llm", "torch"}


@needs_uv
@installs
def test_the_demo_of_an_installed_wheel_answers_a_customer(installed: Installed, tmp_path: Path) -> None:
    made = installed.run("smarteros", "init", "tiendas", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    linted = installed.run("smos", "contract", "lint", cwd=tmp_path / "tiendas")
    assert (linted.returncode, linted.stdout) == (0, "no mistakes found\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for directory in (tmp_path / "tiendas", elsewhere):
        said = installed.run("smos", "demo", "say", "¿Tienen zapatillas talla 42?", "--json", cwd=directory)
        assert said.returncode == 0, said.stderr
        answer = json.loads(said.stdout)
        assert answer["turn"]["outcome"] == "answered"
        assert "Zapatilla Running Azul" in answer["reply"]


@needs_uv
@installs
def test_without_the_extra_the_demo_says_what_to_install(installed: Installed, tmp_path: Path) -> None:
    uv = ["uv", "--quiet", "--no-config", "pip", "uninstall", "--python", str(installed.programs / "python")]
    subprocess.run([*uv, "smarteros-sandbox"], check=True, timeout=120, cwd=tmp_path)
    refused = installed.run("smos", "demo", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr == 'smos: The demo needs smarteros-sandbox: uv pip install "smarteros[demo]".\n'
