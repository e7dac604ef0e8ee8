"""What deploy/ says, read once: which commands are run, with which settings, where, and for how long they may stop."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
KUBERNETES = DEPLOY / "kubernetes"
SYSTEMD = DEPLOY / "systemd"
DOCKERFILE = DEPLOY / "docker/Dockerfile"
IMAGE = "smarteros"
_INSTALLED_AT = "/opt/smarteros/bin/smos"
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?[-?]([^}]*))?\}")
_SECONDS = {"s": 1, "m": 60, "min": 60}


@dataclass(frozen=True)
class Launch:
    """One way in which `smos` is run.

    ``argv`` is what follows `smos`; ``settings`` are those named there, over the image's; ``grace_s`` is how long it
    may take to stop; ``writes`` are the places that are not read-only.
    """

    where: str
    argv: tuple[str, ...]
    settings: Mapping[str, str]
    grace_s: int
    writes: tuple[str, ...]
    reads: tuple[str, ...] = ()

    @property
    def role(self) -> str | None:
        return self.argv[self.argv.index("--role") + 1] if "--role" in self.argv else None


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, lines put together, comments left out."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    found = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, rest in found]


def image_settings() -> dict[str, str]:
    """The environment of the image's last stage."""
    found: dict[str, str] = {}
    for name, rest in instructions():
        if name == "FROM":
            found = {}
        elif name == "ENV":
            found |= dict(pair.split("=", 1) for pair in shlex.split(rest))
    return found


def one(instruction: str) -> str:
    """The only, or the last, instruction of a kind."""
    return [rest for name, rest in instructions() if name == instruction][-1]


@cache
def compose() -> dict[str, Any]:
    """The compose file as it is with what prepare.sh writes to .env."""
    text = (COMPOSE / "compose.yml").read_text("utf-8")
    known = {"SMOS_PUBLIC_URL": "https://bots.example.cl"}
    return yaml.safe_load(_VARIABLE.sub(lambda m: known.get(m[1], m[2] or ""), text))


@cache
def manifests(folder: str = "base") -> tuple[dict[str, Any], ...]:
    """The objects of a folder of Kubernetes manifests, those its kustomization names."""
    files = kustomization(folder)["resources"]
    return tuple(
        manifest
        for file in files
        if file.endswith(".yaml")
        for manifest in yaml.safe_load_all((KUBERNETES / folder / file).read_text("utf-8"))
    )


def kustomization(folder: str) -> dict[str, Any]:
    return yaml.safe_load((KUBERNETES / folder / "kustomization.yaml").read_text("utf-8"))


def workloads() -> list[dict[str, Any]]:
    """The manifests that have pods."""
    return [manifest for manifest in manifests() if manifest["kind"] in ("Deployment", "Job")]


def deployments() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The pods that go on, each with its one container."""
    pods = [manifest["spec"]["template"] for manifest in workloads() if manifest["kind"] == "Deployment"]
    return [(pod, container) for pod in pods for container in pod["spec"]["containers"]]


def autoscaler() -> dict[str, Any]:
    return yaml.safe_load((KUBERNETES / "autoscaling/worker-autoscaler.yaml").read_text("utf-8"))


def env_file(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def unit(path: Path) -> list[tuple[str, str]]:
    """A unit's settings in order; a key may come several times."""
    lines = path.read_text("utf-8").splitlines()
    return [
        (key, value) for key, found, value in (line.partition("=") for line in lines) if found and key[0] not in "#["
    ]


def seconds(text: str) -> int:
    number, word = re.fullmatch(r"(\d+) ?([a-z]*)", text).groups()  # type: ignore[union-attr]
    return int(number) * _SECONDS[word or "s"]


def launches() -> list[Launch]:
    """Every `smos` command of the image, the compose file, the manifests and the units."""
    return [_of_image(), *_of_compose(), *_of_kubernetes(), *_of_systemd()]


def _of_image() -> Launch:
    argv = [*yaml.safe_load(one("ENTRYPOINT")), *yaml.safe_load(one("CMD"))]
    # What `docker stop` gives, unless whoever runs it says otherwise.
    return Launch("Dockerfile", _of_smos(argv), image_settings(), 10, (image_settings()["SMOS_DATA_DIR"], "/tmp"))


def _of_compose() -> Iterator[Launch]:
    for name, service in compose()["services"].items():
        if not str(service["image"]).startswith(f"{IMAGE}:"):
            continue
        entry = service.get("entrypoint", yaml.safe_load(one("ENTRYPOINT")))
        mounts = [str(volume).split(":") for volume in service.get("volumes", ())]
        for argv in _commands(entry, service.get("command", yaml.safe_load(one("CMD")))):
            yield Launch(
                f"compose {name}",
                argv,
                image_settings() | {key: str(value) for key, value in service["environment"].items()},
                seconds(service.get("stop_grace_period", "10s")),
                (
                    *(place.split(":")[0] for place in service["tmpfs"]),
                    *(mount[1] for mount in mounts if mount[2:] != ["ro"]),
                ),
                tuple(mount[1] for mount in mounts),
            )


def _commands(entry: Sequence[str], command: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if entry[0] == "smos":
        yield _of_smos([*entry, *command])
        return
    for line in entry[-1].replace("$$SMOS_CONTRACTS_DIR", image_settings()["SMOS_CONTRACTS_DIR"]).splitlines():
        yield _of_smos(shlex.split(line))


def _of_kubernetes() -> Iterator[Launch]:
    settings = image_settings() | env_file(KUBERNETES / "base/settings.env")
    for manifest in workloads():
        pod = manifest["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        written = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
        mounts = container["volumeMounts"]
        yield Launch(
            f"kubernetes {manifest['metadata']['name']}",
            tuple(container["args"]),
            settings,
            pod.get("terminationGracePeriodSeconds", 30) - _pause(container),
            tuple(mount["mountPath"] for mount in mounts if mount["name"] in written),
            tuple(mount["mountPath"] for mount in mounts),
        )


def _pause(container: dict[str, Any]) -> int:
    return container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)


def _of_systemd() -> Iterator[Launch]:
    for path in sorted(SYSTEMD.glob("*.service")):
        said = unit(path)
        argv = shlex.split(dict(said)["ExecStart"].replace("%i", "8080"))
        assert argv[0] == _INSTALLED_AT
        named = dict(value.split("=", 1) for key, value in said if key == "Environment")
        yield Launch(
            f"systemd {path.name}",
            tuple(argv[1:]),
            env_file(SYSTEMD / "smarteros.env") | named,
            seconds(dict(said).get("TimeoutStopSec", "90")),
            (f"/var/lib/{dict(said)['StateDirectory']}", "/tmp"),
            ("/etc/smarteros", "/run/postgresql"),
        )


def _of_smos(argv: Sequence[str]) -> tuple[str, ...]:
    assert argv[0] == "smos"
    return tuple(argv[1:])
