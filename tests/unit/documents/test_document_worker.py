"""The worker process: it may die, hang or print, and the service does not notice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smarteros.documents.local import DocumentWorker, open_pdf_in
from smarteros.domain.errors import RejectedInputError

# A worker that answers a job by its data: an echo, a crash, a hang, noise on the standard output.
FAKE = """
import os, sys, threading
from smarteros.documents.frames import read_frame, write_frame
from smarteros.documents.worker import _take_streams
jobs, answers = _take_streams()
while (frame := read_frame(jobs)) is not None:
    data = frame[1]
    if data == b"crash" or (data == b"crash once" and not os.path.exists(sys.argv[1])):
        open(sys.argv[1], "w").close()
        os._exit(139)
    if data == b"burn":
        while True:
            pass
    if data == b"swallow":
        held = []
        while True:
            held.append(bytearray(8 * 2**20))
    if data.startswith(b"wait for "):
        while not os.path.exists(data[9:].decode()):
            threading.Event().wait(0.01)
    if data == b"hang":
        threading.Event().wait()
    if data == b"noise":
        os.write(1, b"[INFO] model loaded")
        print("hello", flush=True)
    write_frame(answers, {"echo": data.decode(), "pid": os.getpid(), "env": sorted(os.environ)})
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., DocumentWorker]]:
    started: list[DocumentWorker] = []

    def make(job_seconds: float = 20.0, **limits: Any) -> DocumentWorker:
        worker = DocumentWorker((sys.executable, "-c", FAKE, str(tmp_path / "crashed")), job_seconds, **limits)
        started.append(worker)
        return worker

    yield make
    for worker in started:
        worker.close()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(RejectedInputError) as caught:
        call()
    return caught.value.code


def gone(pid: int) -> bool:
    """Wait for a process to end, at most 10 s."""
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        threading.Event().wait(0.02)
    return False


def test_nothing_runs_before_the_first_document(start: Callable[..., DocumentWorker]) -> None:
    assert start().pid is None


def test_one_process_serves_job_after_job(start: Callable[..., DocumentWorker]) -> None:
    worker = start()
    pids = {worker.run("x", str(number).encode())["pid"] for number in range(3)}
    assert pids == {worker.pid}


def test_a_document_that_kills_the_worker_is_refused_and_the_next_one_served(
    start: Callable[..., DocumentWorker],
) -> None:
    worker = start()
    assert refusal(lambda: worker.run("x", b"crash")) == "document_unreadable"
    assert worker.run("x", b"fine")["echo"] == "fine"


def test_a_worker_that_died_of_something_else_is_given_the_document_again(
    start: Callable[..., DocumentWorker],
) -> None:
    assert start().run("x", b"crash once")["echo"] == "crash once"


def test_a_worker_killed_between_two_jobs_is_replaced(start: Callable[..., DocumentWorker]) -> None:
    worker = start()
    first = worker.run("x", b"a")["pid"]
    os.kill(first, signal.SIGKILL)
    assert worker.run("x", b"b")["pid"] != first


def test_a_document_that_hangs_the_worker_is_given_up(start: Callable[..., DocumentWorker]) -> None:
    worker = start(job_seconds=0.5)
    started = time.monotonic()
    assert refusal(lambda: worker.run("x", b"hang")) == "document_too_slow"
    assert time.monotonic() - started < 20  # it would hang for ever
    assert worker.pid is None


def test_a_worker_that_does_not_even_listen_is_given_up() -> None:
    """16 MB do not fit a pipe: the writing side must be bounded too."""
    worker = DocumentWorker((sys.executable, "-c", "import threading; threading.Event().wait()"), job_seconds=0.5)
    assert refusal(lambda: worker.run("x", bytes(16_000_000))) == "document_too_slow"
    worker.close()


def test_what_a_library_prints_does_not_disturb_the_answers(start: Callable[..., DocumentWorker]) -> None:
    worker = start()
    assert worker.run("x", b"noise")["echo"] == "noise"
    assert worker.run("x", b"after")["echo"] == "after"


def test_the_worker_sees_none_of_our_secrets(
    start: Callable[..., DocumentWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOS_MASTER_KEY", "very secret")
    assert "SMOS_MASTER_KEY" not in start().run("x", b"a")["env"]


def test_many_threads_may_ask_at_once(start: Callable[..., DocumentWorker]) -> None:
    worker = start()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: worker.run("x", str(n).encode())["echo"], range(40)))
    assert answers == [str(number) for number in range(40)]


def test_a_document_that_burns_cpu_is_given_up_long_before_its_time_is(start: Callable[..., DocumentWorker]) -> None:
    worker = start(job_seconds=60, cpu_seconds=0.3)
    assert refusal(lambda: worker.run("x", b"burn")) == "document_too_slow"
    assert worker.run("x", b"after")["echo"] == "after"


def test_a_document_that_swallows_memory_is_given_up_before_the_machine_suffers(
    start: Callable[..., DocumentWorker],
) -> None:
    worker = start(memory_bytes=200 * 2**20)
    assert refusal(lambda: worker.run("x", b"swallow")) == "document_too_heavy"
    assert worker.run("x", b"after")["echo"] == "after"


def test_the_worker_itself_may_not_write_to_more_than_one_and_a_half_gigabytes() -> None:
    script = (
        "from smarteros.documents import worker\nworker._limit_resources()\n"
        "try:\n    bytearray(1700 * 2**20)\nexcept MemoryError:\n    print('refused')"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.strip() == "refused"


def test_one_process_is_enough_for_one_document_after_the_other(start: Callable[..., DocumentWorker]) -> None:
    worker = start(processes=2)
    assert len({worker.run("x", b"a")["pid"] for _ in range(3)}) == 1
    assert len(worker.pids) == 1


def test_a_document_that_hangs_does_not_stop_the_next_one(start: Callable[..., DocumentWorker], tmp_path: Path) -> None:
    worker, sign = start(processes=2), tmp_path / "sign"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(worker.run, "x", b"wait for " + str(sign).encode())
        while not worker.pids:
            threading.Event().wait(0.01)
        other = worker.run("x", b"quick")
        assert other["echo"] == "quick"
        assert not waiting.done()
        sign.touch()
        assert waiting.result(20)["pid"] != other["pid"]
    assert len(worker.pids) == 2


def test_there_are_never_more_processes_than_allowed(start: Callable[..., DocumentWorker]) -> None:
    worker = start(processes=2)
    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda _: worker.run("x", b"a")["pid"], range(40)))
    assert len(seen) <= 2


def test_a_process_is_replaced_after_its_number_of_documents(start: Callable[..., DocumentWorker]) -> None:
    worker = start(processes=1, recycle_after=3)
    pids = [worker.run("x", b"a")["pid"] for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]


def test_a_worker_killed_in_the_middle_of_a_document_is_replaced_and_the_document_read(
    start: Callable[..., DocumentWorker], tmp_path: Path
) -> None:
    worker, sign = start(), tmp_path / "sign"
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(worker.run, "x", b"wait for " + str(sign).encode())
        while worker.pid is None:
            threading.Event().wait(0.01)
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        sign.touch()
        assert reading.result(20)["pid"] != first


def test_the_models_are_loaded_in_the_background_and_the_caller_goes_on(
    start: Callable[..., DocumentWorker],
) -> None:
    worker = start()
    worker.warm_up_soon()
    while worker.pid is None:
        threading.Event().wait(0.01)
    assert worker.run("x", b"a")["echo"] == "a"


def test_a_warm_up_that_fails_is_told_to_nobody_and_harms_nothing() -> None:
    worker = DocumentWorker((sys.executable, "-c", "raise SystemExit(1)"))
    worker.warm_up_soon()
    assert refusal(lambda: worker.run("x", b"a")) == "document_unreadable"
    worker.close()


def test_closing_ends_the_process(start: Callable[..., DocumentWorker]) -> None:
    worker = start()
    pid = worker.run("x", b"a")["pid"]
    worker.close()
    assert gone(pid)


def test_the_worker_ends_when_the_service_is_killed() -> None:
    service = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import threading\nfrom smarteros.documents.local import DocumentWorker\nworker = DocumentWorker()\n"
            "try:\n    worker.run('pdf', b'x')\nexcept Exception:\n    print(worker.pid, flush=True)\n"
            "threading.Event().wait()",
        ],
        stdout=subprocess.PIPE,
    )
    with service:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        service.kill()
        service.wait()
        assert gone(pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)


def test_the_real_worker_refuses_a_damaged_pdf_and_lives_on() -> None:
    worker = DocumentWorker()
    assert refusal(lambda: open_pdf_in(worker, b"%PDF-1.7 damaged")) == "pdf_unreadable"
    assert worker.pid is not None
    assert refusal(lambda: worker.run("ocr", b"\x89PNG\r\n\x1a\n" + bytes(90))) == "image_unreadable"
    worker.close()
