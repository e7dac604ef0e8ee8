"""A backup made while customers write, and the installation that goes on from it."""

from __future__ import annotations

import json
import shutil
import signal
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.process import DemoProcess
from tests.e2e.world import World
from tests.support import until
from typer.testing import CliRunner, Result

from smarteros.cli.main import app

SHOES, CLOTHES = "TENANT_DEMO", "TENANT_RUT_77123456"
QUESTION = "¿Cuál es el horario de atención?"


def smos(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def be_slow(world: World, tenant_id: str, seconds: float) -> None:
    """Let a shop's Chatwoot answer after so long."""
    account = str(world.shop(tenant_id)["account_id"])
    fault = {"service": "chatwoot", "kind": "slow", "scope": account, "times": None, "value": seconds}
    world.http.post(f"{world.url}/sandbox/faults", json=fault).raise_for_status()


@contextmanager
def standing_still(demo: DemoProcess) -> Iterator[None]:
    """Hold the process in the middle of its turns, however long the backup takes; PostgreSQL goes on."""
    assert demo.process is not None
    demo.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        demo.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True)
class Story:
    """What was seen: a backup of two shops' running turns, one of which the old installation finished afterwards."""

    made: dict[str, Any]
    archive: Path
    refused_over_data: Result
    refused_without_key: Result
    left_after_refusal: list[str]
    restored: dict[str, Any]
    finished_before_the_kill: list[str]
    known_customer: list[str]
    finished_again: list[str]
    never_answered: list[str]
    new_question: str
    audit: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    root = tmp_path_factory.mktemp("backup")
    old, new, archive = root / "old", root / "new", root / "smos.backup"
    demo = DemoProcess(old, "--port", "0")
    with demo, World(demo.url) as world:
        known = world.customer(SHOES)
        known.ask("hola")
        lucky, unlucky = world.customer(SHOES), world.customer(CLOTHES)
        be_slow(world, SHOES, 2.0)
        be_slow(world, CLOTHES, 60.0)
        written = {each: each.write(QUESTION) for each in (lucky, unlucky)}
        for each, message in written.items():
            world.until_received(each.tenant_id, message)
        with standing_still(demo):
            made = json.loads(smos("backup", "--to", str(archive), "--data-dir", str(old), "--json").stdout)
        until(lucky.replies)
        finished = lucky.replies()
        refused_over_data = smos("restore", "--from", str(archive), "--data-dir", str(old))
        demo.kill()
        paths = {
            each: each.messages_url.removeprefix(world.info["base_urls"]["chatwoot"])
            for each in (known, lucky, unlucky)
        }
    refused_without_key = smos("restore", "--from", str(archive), "--data-dir", str(new))
    left = sorted(path.name for path in new.iterdir())
    restored = json.loads(
        smos("restore", "--from", str(archive), "--data-dir", str(new), "--keys", str(old), "--json").stdout
    )
    # Chatwoot is another system: it has gone on since the backup.
    shutil.copytree(old / "sandbox", new / "sandbox")
    with DemoProcess(new, "--port", "0") as again, World(again.url) as world:
        for each, path in paths.items():
            each.world, each.messages_url = world, world.info["base_urls"]["chatwoot"] + path
        until(unlucky.replies)
        for each, message in written.items():
            each.turn_of(message)
        return Story(
            made=made,
            archive=archive,
            refused_over_data=refused_over_data,
            refused_without_key=refused_without_key,
            left_after_refusal=left,
            restored=restored,
            finished_before_the_kill=finished,
            known_customer=known.replies(),
            finished_again=lucky.replies(),
            never_answered=unlucky.replies(),
            new_question=known.ask(QUESTION),
            audit=world.audit(""),
        )


def test_a_backup_is_made_while_turns_run_and_holds_them(story: Story) -> None:
    assert story.made["manifest"]["rows"]["waiting_turns"] == 2
    assert story.restored["waiting_turns"] == 2


def test_a_restored_installation_answers_new_questions(story: Story) -> None:
    assert "10:00" in story.new_question


def test_a_turn_the_backup_saw_running_is_finished_after_the_restore(story: Story) -> None:
    assert [("11:00" in text or "10:00" in text) for text in story.never_answered] == [True]


def test_a_reply_the_old_installation_posted_after_the_backup_is_not_posted_again(story: Story) -> None:
    assert len(story.finished_before_the_kill) == 1
    assert story.finished_again == story.finished_before_the_kill
    assert len(story.known_customer) == 1


def test_the_rows_and_the_audit_are_checked_and_the_secrets_open(story: Story) -> None:
    restored = story.restored
    assert restored["rows"] == sum(story.made["manifest"]["rows"].values())
    assert restored["audit_events"] == story.made["manifest"]["rows"]["audit_events"] > 0
    assert (restored["secrets"], restored["sealed"], restored["audit_findings"]) == ("opened", True, [])
    assert restored["contracts_differ"] == []


def test_the_restore_is_in_the_installations_own_audit(story: Story) -> None:
    assert "installation_restored" in [event["kind"] for event in story.audit]


def test_no_key_is_in_a_backup_and_the_command_says_where_they_are(story: Story) -> None:
    with tarfile.open(story.archive) as tar:
        names = tar.getnames()
    assert names[0] == "manifest.json"
    assert {"database.dump", "secrets.enc", "contracts/e2e-faq-quick.yml"} <= set(names)
    assert not [name for name in names if "key" in name]
    assert [Path(key).name for key in story.made["keys"]] == ["secrets.key", "audit.key"]
    assert story.archive.stat().st_mode & 0o077 == 0


def test_nothing_is_restored_over_data(story: Story) -> None:
    assert story.refused_over_data.exit_code == 1
    assert "holds data already" in str(story.refused_over_data.exception)


def test_without_the_key_nothing_is_restored_and_nothing_is_left_behind(story: Story) -> None:
    assert story.refused_without_key.exit_code == 1
    assert "--keys" in str(story.refused_without_key.exception)
    assert story.left_after_refusal == []


def test_what_the_key_is_lost_of_is_restored_without_its_secrets(story: Story, tmp_path: Path) -> None:
    done = smos("restore", "--from", str(story.archive), "--data-dir", str(tmp_path), "--without-secrets", "--json")
    said = json.loads(done.stdout)

    assert (said["secrets"], said["sealed"], said["audit_findings"]) == ("left_out", False, [])
    assert not (tmp_path / "secrets.enc").exists()


def test_a_damaged_backup_is_refused_before_anything_is_made(story: Story, tmp_path: Path) -> None:
    damaged, target = tmp_path / "damaged.backup", tmp_path / "data"
    content = bytearray(story.archive.read_bytes())
    with tarfile.open(story.archive) as tar:
        content[tar.getmember("database.dump").offset_data + 1000] ^= 1
    damaged.write_bytes(content)
    done = smos("restore", "--from", str(damaged), "--data-dir", str(target))

    assert "database.dump is not as it was put in" in str(done.exception)
    assert list(target.iterdir()) == []


def test_a_backup_never_replaces_another(story: Story) -> None:
    before = story.archive.stat().st_mtime_ns
    done = smos("backup", "--to", str(story.archive), "--data-dir", str(story.restored["data_dir"]))

    assert "is there already" in str(done.exception)
    assert story.archive.stat().st_mtime_ns == before
