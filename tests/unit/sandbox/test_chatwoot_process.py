"""The sandbox as a process: it starts, says where it listens, and never outlives its purpose."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

START_SECONDS = 120.0
STOP_SECONDS = 20.0  # for what must happen; that a whole demo stops within five is asked of the demo


@contextmanager
def sandbox(data_dir: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "-m", "smarteros_sandbox", "--data-dir", str(data_dir), *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            word, _, urls = process.stdout.readline().partition(" ")
            assert word == "ready"
            yield process, json.loads(urls)
        finally:
            process.kill()


def test_it_listens_everywhere_and_stops_at_a_signal(tmp_path: Path) -> None:
    with sandbox(tmp_path) as (process, urls):
        assert set(urls) == {"control", "chatwoot", "shopify", "odoo", "vision", "botpress"}
        with httpx2.Client(trust_env=False) as client:
            assert client.get(f"{urls['chatwoot']}/health").json() == {"status": "woot"}
            info = client.get(f"{urls['control']}/sandbox/info").json()
        assert info["base_urls"] == urls
        assert len(info["tenants"]) >= 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0


def test_it_stops_when_its_input_ends(tmp_path: Path) -> None:
    with sandbox(tmp_path, "--watch-parent") as (process, _urls):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(STOP_SECONDS) == 0


def test_it_stops_when_its_parent_dies(tmp_path: Path) -> None:
    """A parent that is killed cannot clean up; the sandbox notices by itself."""
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'smarteros_sandbox', '--data-dir', {str(tmp_path)!r}])\n"
        "child.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        urls = json.loads(parent.stdout.readline().removeprefix("ready "))
        parent.kill()
        wait_until_gone(urls["chatwoot"])


def wait_until_gone(url: str) -> None:
    """Until nobody listens; on the way there a connection may also be cut."""
    deadline = time.monotonic() + STOP_SECONDS
    with httpx2.Client(trust_env=False, timeout=STOP_SECONDS) as client:
        while time.monotonic() < deadline:
            try:
                client.get(f"{url}/health")
            except httpx2.ConnectError:
                return
            except httpx2.TransportError:
                continue
    raise AssertionError("the sandbox outlived its parent")


def test_an_occupied_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with sandbox(tmp_path / "first") as (_process, urls):
        port = urls["chatwoot"].rpartition(":")[2]
        command = [sys.executable, "-m", "smarteros_sandbox", "--data-dir", str(tmp_path / "second")]
        second = subprocess.run(
            [*command, "--chatwoot-port", port],
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
    assert second.returncode != 0
    assert second.stderr.startswith("cannot listen on")
    assert "Traceback" not in second.stderr
