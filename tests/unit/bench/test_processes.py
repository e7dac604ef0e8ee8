"""What is measured of processes, and that none of them outlives the measurement."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from smarteros.bench import dying_with_parent
from smarteros.bench.photos import take_photo
from smarteros.bench.processes import Process, cpu_seconds, memory_mb, proportional_memory_mb
from smarteros.domain.errors import ConfigError

_CHILD = "import signal; print('up', flush=True); signal.pause()"


def test_a_page_that_processes_share_counts_in_parts() -> None:
    own = [os.getpid()]
    assert 0 < proportional_memory_mb(own) <= memory_mb(own)


def test_a_process_that_has_ended_weighs_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert proportional_memory_mb([ended.pid]) == cpu_seconds([ended.pid]) == 0


def test_a_program_ends_when_its_parent_is_killed() -> None:
    command = dying_with_parent.command(sys.executable, "-c", _CHILD)
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.Popen({command!r}).wait()"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        parent.kill()
        # The end of the pipe comes only when the child has ended too.
        assert parent.stdout.read() == ""


def test_a_command_that_does_not_start_is_said_in_one_sentence() -> None:
    with pytest.raises(ConfigError, match="smos token --help did not start"):
        Process("token", "--help")


def test_the_same_number_gives_the_same_photo_and_another_gives_another() -> None:
    first = take_photo(1)
    assert first == take_photo(1)
    assert first.number != take_photo(2).number
