"""The private PostgreSQL server of a data directory."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

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
