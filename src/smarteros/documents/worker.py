"""The process in which strangers' documents are decoded: ``python -m smarteros.documents.worker``.

It speaks frames over its standard streams (see ``frames``), ends when its input ends (so it never outlives the
service, however that died), knows no secret, and may die without harm: the other side starts a new one.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from smarteros.documents.frames import read_frame, write_frame
from smarteros.documents.guards import decode_image, open_pdf
from smarteros.domain.errors import RejectedInputError

if TYPE_CHECKING:
    from smarteros.documents.recognition import Recogniser

ADDRESS_SPACE_BYTES = 3 * 1024**3  # the loaded models take 0.8 GB of it, a page 0.2 more
# Last resort for a job that hangs after the service died; the service itself gives up much earlier.
SUICIDE_SECONDS = 60


class Worker:
    """Answers one job at a time. The models are loaded with the first picture."""

    def __init__(self) -> None:
        self._recogniser: Recogniser | None = None

    def answer(self, job: str, data: bytes) -> dict[str, Any]:
        """Do a job; a refusal of the document is an answer, not a crash."""
        try:
            if job == "pdf":
                return {"pages": [_page_as_json(page.text, page.image) for page in open_pdf(data)]}
            if job == "load":
                self._loaded().load_models()
                return {}
            return {"page": self._loaded().read(decode_image(data)).model_dump(mode="json")}
        except RejectedInputError as error:
            return {"refused": [error.code, error.operator_message]}
        except MemoryError:
            return {"refused": ["document_too_heavy", "the document needs more memory than it may have"]}
        except Exception as error:  # a decoder's bug met by a stranger's bytes
            return {"refused": ["document_unreadable", f"the document broke the decoder ({type(error).__name__})"]}

    def _loaded(self) -> Recogniser:
        if self._recogniser is None:
            from smarteros.documents.recognition import Recogniser

            self._recogniser = Recogniser()
        return self._recogniser


def _page_as_json(text: Any, image: bytes | None) -> dict[str, Any]:
    if image is not None:
        return {"image": base64.b64encode(image).decode("ascii")}
    return {"text": text.model_dump(mode="json")}


def main() -> None:
    """Serve jobs until the input ends."""
    jobs, answers = _take_streams()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which then closes our input
    worker = Worker()
    while (frame := read_frame(jobs)) is not None:
        header, data = frame
        signal.alarm(SUICIDE_SECONDS)
        result = worker.answer(str(header.get("job")), data)
        signal.alarm(0)
        write_frame(answers, result)
        _give_memory_back()


def _give_memory_back() -> None:
    """Return the page's memory to the system (about 170 of 470 MB after a photo); glibc alone would keep it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for frames alone: whatever a library prints must not land between them."""
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    sys.stdout = sys.stderr
    return jobs, answers


if __name__ == "__main__":
    main()
