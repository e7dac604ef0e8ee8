"""The private PostgreSQL server of a data directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from smarteros.domain.errors import ConfigError
from smarteros.store.embedded import EmbeddedPostgres

START_AND_DIE = """
import os, signal, sys
from pathlib import Path
from smarteros.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
os.kill(os.getpid(), signal.SIGKILL)
"""

START_AND_WAIT = """
import sys
from pathlib import Path
from smarteros.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("ready", flush=True)
sys.stdin.read()
"""


def one(url: str) -> int:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT 1")).scalar_one()


def test_data_is_there_after_a_restart(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        engine = sa.create_engine(server.url(), poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE kept AS SELECT 7 AS number"))
    with EmbeddedPostgres(tmp_path) as server:
        engine = sa.create_engine(server.url(), poolclass=sa.NullPool)
        with engine.begin() as connection:
            assert connection.execute(sa.text("SELECT number FROM kept")).scalar_one() == 7


def test_a_second_command_joins_the_running_server_and_leaves_it_running(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as first:
        with EmbeddedPostgres(tmp_path) as second:
            assert second.url() == first.url()
        assert one(first.url()) == 1


def test_a_directory_only_its_owner_can_enter_is_good_enough(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with EmbeddedPostgres(tmp_path / "deep" / "er") as server:
        assert one(server.url()) == 1


def test_it_starts_again_after_its_process_was_killed(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", START_AND_DIE, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL

    with EmbeddedPostgres(tmp_path) as server:
        assert one(server.url()) == 1


def test_a_path_that_is_a_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()

    with pytest.raises(ConfigError) as refused:
        EmbeddedPostgres(blocked).start()
    assert refused.value.code == "data_dir_unusable"
    assert str(blocked) in refused.value.operator_message


def test_it_listens_on_no_network_port(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        engine = sa.create_engine(server.url(), poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert connection.execute(sa.text("SHOW listen_addresses")).scalar_one() == ""
            directory = connection.execute(sa.text("SHOW unix_socket_directories")).scalar_one()
    assert not Path(directory).exists()


def test_a_server_that_died_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        pid = int((tmp_path / "cluster" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)

        assert eventually_one(server.url())


def test_a_process_that_joined_runs_the_server_when_the_first_one_dies(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout is not None
    first.stdout.readline()
    with first, EmbeddedPostgres(tmp_path) as joined:
        assert one(joined.url()) == 1
        first.kill()
        first.wait(timeout=20)

        assert eventually_one(joined.url())


def eventually_one(url: str, within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(OperationalError):
            return one(url) == 1
        time.sleep(0.05)
    return False
