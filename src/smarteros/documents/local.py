"""Reading documents on this machine, in a process of its own."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any

from smarteros.documents.frames import read_frame, write_frame
from smarteros.documents.guards import PdfPage
from smarteros.documents.protocol import OcrPage
from smarteros.domain.errors import RejectedInputError, TransientError

JOB_SECONDS = 20.0
QUEUE_SECONDS = 60.0
# What the worker needs of our environment; our secrets and settings are not among it.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_COMMAND = (sys.executable, "-P", "-m", "smarteros.documents.worker")


@dataclass(eq=False)
class DocumentWorker:
    """The worker process as its users see it: started with the first job, restarted when it died or hung.

    One job at a time; any thread may ask. ``command`` is replaced in tests.
    """

    command: tuple[str, ...] = _COMMAND
    job_seconds: float = JOB_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _at_exit: Any = field(default=None, init=False)

    def run(self, job: str, data: bytes) -> dict[str, Any]:
        """Return the worker's answer.

        RejectedInputError when the document is refused, takes longer than ``job_seconds`` or kills the worker
        twice; TransientError when the queue of jobs does not move.
        """
        if not self._lock.acquire(timeout=QUEUE_SECONDS):
            raise TransientError("documents_busy", "the document worker has too much to do")
        try:
            answer = self._try(job, data)
            if answer is None:  # it may have died of something else, for example of memory another job took
                answer = self._try(job, data)
        finally:
            self._lock.release()
        if answer is None:
            raise RejectedInputError("document_unreadable", "the document kills the decoder")
        if "refused" in answer:
            code, message = answer["refused"]
            raise RejectedInputError(code, message)
        return answer

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def _try(self, job: str, data: bytes) -> dict[str, Any] | None:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise TransientError("documents_unavailable", "the document worker has no pipes")
        timed_out = threading.Event()

        def give_up() -> None:
            timed_out.set()
            process.kill()

        timer = threading.Timer(self.job_seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            write_frame(process.stdin, {"job": job}, data)
            frame = read_frame(process.stdout)
        except OSError:
            frame = None
        finally:
            timer.cancel()
        if frame is not None:
            return frame[0]
        self._end()
        if timed_out.is_set():
            raise RejectedInputError("document_too_slow", f"the document took longer than {self.job_seconds:g} s")
        return None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "OMP_NUM_THREADS": "1"},
        )
        self._at_exit = weakref.finalize(self, _stop, self._process)
        return self._process

    def _end(self) -> None:
        if self._at_exit is not None:
            self._at_exit()
        self._process, self._at_exit = None, None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # an unsent rest of a frame for a dead process
                continue
    process.wait()


@dataclass(frozen=True)
class LocalOcrEngine:
    """PP-OCRv6 in the worker process."""

    worker: DocumentWorker = field(default_factory=DocumentWorker)

    def read(self, image: bytes) -> OcrPage:
        """Read an image (JPEG, PNG or WebP bytes, already checked by the guards)."""
        return OcrPage.model_validate(self.worker.run("ocr", image)["page"])

    def warm_up(self) -> None:
        """Start the process and load the models ahead of the first photo (2.4 s of CPU)."""
        self.worker.run("load", b"")

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


def open_pdf_in(worker: DocumentWorker, data: bytes) -> list[PdfPage]:
    """The first pages of a PDF, opened by the worker."""
    pages = worker.run("pdf", data)["pages"]
    return [
        PdfPage(image=base64.b64decode(page["image"]))
        if "image" in page
        else PdfPage(text=OcrPage.model_validate(page["text"]))
        for page in pages
    ]
