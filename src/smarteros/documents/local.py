"""Reading documents on this machine, in processes of their own."""

from __future__ import annotations

import base64
import contextlib
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

from smarteros.documents.guards import PdfPage
from smarteros.documents.process import Limits, WorkerProcess
from smarteros.documents.protocol import Box, OcrPage
from smarteros.domain.errors import RejectedInputError, SmosError, TransientError

PROCESSES = 2  # two processes read faster than two threads of one, and one hostile document does not stop the other
RECYCLE_AFTER = 200  # jobs; a process that has seen many pages gives back what its libraries hold
JOB_SECONDS = 20.0  # on the wall clock; a busy machine may need as long for a page of 1.5 s of CPU
CPU_SECONDS = 6.0  # loading the models (2.4) and the slowest page (1.5) with room
MEMORY_BYTES = 1400 * 1024**2  # resident; the largest honest page was seen with 660 MiB
QUEUE_SECONDS = 60.0
_COMMAND = (sys.executable, "-P", "-m", "smarteros.documents.worker")


@dataclass(eq=False)
class DocumentWorker:
    """The worker processes as their users see them: started when they are needed, replaced when they died or hung.

    Any thread may ask; ``processes`` jobs run at a time, and while one suffices only one is started. ``command`` is
    replaced in tests.
    """

    command: tuple[str, ...] = _COMMAND
    job_seconds: float = JOB_SECONDS
    cpu_seconds: float = CPU_SECONDS
    memory_bytes: int = MEMORY_BYTES
    processes: int = PROCESSES
    recycle_after: int = RECYCLE_AFTER
    _free: threading.Semaphore = field(init=False)
    _workers: tuple[WorkerProcess, ...] = field(init=False)

    def __post_init__(self) -> None:
        limits = Limits(self.job_seconds, self.cpu_seconds, self.memory_bytes)
        self._free = threading.Semaphore(self.processes)
        self._workers = tuple(WorkerProcess(self.command, limits) for _ in range(self.processes))

    def run(self, job: str, data: bytes) -> dict[str, Any]:
        """Return the worker's answer.

        RejectedInputError when the document is refused, costs more time or memory than it may, or kills the worker
        twice; TransientError when the queue of jobs does not move.
        """
        if not self._free.acquire(timeout=QUEUE_SECONDS):
            raise TransientError("documents_busy", "the document workers have too much to do")
        worker = self._taken()
        try:
            answer = worker.ask(job, data)
            if answer is None:  # it may have died of something else, for example of memory another job took
                answer = worker.ask(job, data)
            recycled = worker.jobs_done >= self.recycle_after
            if recycled:
                worker.end()
        finally:
            worker.lock.release()
            self._free.release()
        if recycled and job == "ocr":
            self.warm_up_soon()
        if answer is None:
            raise RejectedInputError("document_unreadable", "the document kills the decoder")
        if "refused" in answer:
            code, message = answer["refused"]
            raise RejectedInputError(code, message)
        return answer

    def warm_up_soon(self) -> None:
        """Start a process and load its models in the background, so that no photo has to wait for that."""
        threading.Thread(target=self._warm_up, name="documents-warm-up", daemon=True).start()

    def answers(self) -> bool:
        """Tell whether documents are read here: while every process reads one they are, else one is asked.

        Without any process one is started, without its models.
        """
        if not self._free.acquire(blocking=False):
            return True
        self._free.release()
        try:
            self.run("hello", b"")
        except (SmosError, OSError):
            return False
        return True

    def close(self) -> None:
        """End the processes; what they are reading is finished first."""
        for worker in self._workers:
            with worker.lock:
                worker.end()

    @property
    def pid(self) -> int | None:
        """Id of the first process that runs."""
        return next(iter(self.pids), None)

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the processes that run."""
        return tuple(pid for worker in self._workers if (pid := worker.pid) is not None)

    def _taken(self) -> WorkerProcess:
        """Take the first free process: the one that was used last is warm, the others are not even started."""
        for worker in self._workers:
            if worker.lock.acquire(blocking=False):
                return worker
        self._workers[0].lock.acquire()  # all free ones are just being closed
        return self._workers[0]

    def _warm_up(self) -> None:
        with contextlib.suppress(SmosError):  # the first photo will try again, and say what is wrong
            self.run("load", b"")


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
        PdfPage(
            text=OcrPage.model_validate(page["text"]) if "text" in page else None,
            image=base64.b64decode(page["image"]) if "image" in page else None,
            of=page["of"],
        )
        for page in pages
    ]


def jpeg_in(worker: DocumentWorker, data: bytes) -> bytes:
    """A picture of any kind we read (HEIC too) as an upright JPEG, made by the worker."""
    return base64.b64decode(worker.run("jpeg", data)["image"])


@dataclass(frozen=True)
class SoughtTimbre:
    """What the worker found of a timbre: its bytes, and where it is (upright, in the picture's own pixels).

    ``box`` without ``data`` is a barcode that could not be decoded. ``blurred``: the picture has no sharp edge.
    """

    data: bytes | None = None
    box: Box | None = None
    blurred: bool = False


def timbre_in(worker: DocumentWorker, data: bytes) -> SoughtTimbre:
    """Look for a timbre in a picture, in the worker."""
    answer = worker.run("timbre", data)
    box = answer.get("box")
    return SoughtTimbre(
        data=base64.b64decode(answer["timbre"]) if "timbre" in answer else None,
        box=(box[0], box[1], box[2], box[3]) if box else None,
        blurred=bool(answer.get("blurred")),
    )
