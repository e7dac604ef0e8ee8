"""The process in which strangers' documents are decoded: ``python -m smarteros.documents.worker``.

It speaks frames over its standard streams (see ``frames``), ends when its input ends (so it never outlives the
service, however that died), knows no secret, and may die without harm: the other side starts a new one.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import hashlib
import os
import resource
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, ImageDraw

from smarteros.documents.frames import read_frame, write_frame
from smarteros.documents.guards import (
    MAX_SIDE,
    MAX_TIMBRE_SIDE,
    PdfPage,
    as_jpeg,
    check_image,
    decode_image,
    heic_as_jpeg,
    open_pdf,
)
from smarteros.domain.errors import RejectedInputError
from smarteros.kit.media_type import sniff

if TYPE_CHECKING:
    from smarteros.documents.protocol import OcrPage
    from smarteros.documents.recognition import Recogniser
    from smarteros.documents.timbre.locate import Candidate

_PAPER = (235, 235, 235)

ADDRESS_SPACE_BYTES = 3 * 1024**3  # the loaded models take 0.8 GB of it, a page 0.2 more
# Memory of its own that the process may write to. The service watches what is really used, every 50 ms.
DATA_BYTES = 1400 * 1024**2
# Last resort for a job that hangs after the service died; the service itself gives up much earlier.
SUICIDE_SECONDS = 60


class Worker:
    """Answers one job at a time. The models are loaded with the first picture.

    A picture is decoded once: the timbre is looked for first, then the same bytes come to be read.
    """

    def __init__(self) -> None:
        self._recogniser: Recogniser | None = None
        self._at_hand: _Picture | None = None

    def answer(self, job: str, data: bytes) -> dict[str, Any]:
        """Do a job; a refusal of the document is an answer, not a crash."""
        try:
            return self._do(job, data)
        except RejectedInputError as error:
            return {"refused": [error.code, error.operator_message]}
        except MemoryError:
            return {"refused": ["document_too_heavy", "the document needs more memory than it may have"]}
        except Exception as error:  # a decoder's bug met by a stranger's bytes
            return {"refused": ["document_unreadable", f"the document broke the decoder ({type(error).__name__})"]}

    def _do(self, job: str, data: bytes) -> dict[str, Any]:
        if job == "pdf":
            return {"pages": [_page_as_json(page) for page in open_pdf(data)]}
        if job == "hello":
            return {}
        if job == "load":
            self._loaded().load_models()
            return {}
        if job == "jpeg":
            return {"image": _base64(_jpeg_of(data))}
        if job == "timbre":
            return self._timbre(data)
        return {"page": self._read(data).model_dump(mode="json")}

    def _timbre(self, data: bytes) -> dict[str, Any]:
        from smarteros.documents.sharpness import is_blurred
        from smarteros.documents.timbre.decode import search_timbre

        picture = self._at_hand = _Picture(_digest(data), decode_image(data, MAX_TIMBRE_SIDE))
        found = search_timbre(picture.grey())
        place = found.timbre.place if found.timbre is not None else found.seen
        picture.timbre = found.timbre.place if found.timbre is not None else None
        answer: dict[str, Any] = {"box": _enlarged(place.box, picture.reduced_by(data))} if place is not None else {}
        answer["blurred"] = is_blurred(picture.image)
        return answer | ({"timbre": _base64(found.timbre.data)} if found.timbre is not None else {})

    def _read(self, data: bytes) -> OcrPage:
        at_hand, self._at_hand = self._at_hand, None
        picture = at_hand if at_hand is not None and at_hand.digest == _digest(data) else None
        if picture is None:
            picture = _Picture(_digest(data), decode_image(data))
        return self._loaded().read(picture.for_reading(), reduced_by=picture.reduced_by(data))

    def _loaded(self) -> Recogniser:
        if self._recogniser is None:
            from smarteros.documents.recognition import Recogniser

            self._recogniser = Recogniser()
        return self._recogniser


@dataclass
class _Picture:
    """A decoded picture, and where its timbre is."""

    digest: bytes
    image: Image.Image
    timbre: Candidate | None = None

    def grey(self) -> Any:
        import numpy as np

        return np.asarray(self.image.convert("L"))

    def reduced_by(self, data: bytes) -> float:
        """How many pixels of the picture as it was sent make one of this one."""
        return max(check_image(data)) / max(self.image.size)

    def for_reading(self) -> Image.Image:
        """The picture at most ``MAX_SIDE`` long, its timbre painted over: no letters are in there."""
        if self.timbre is not None:
            corners = [(float(x), float(y)) for x, y in self.timbre.corners]
            ImageDraw.Draw(self.image).polygon(corners, fill=_PAPER)
        self.image.thumbnail((MAX_SIDE, MAX_SIDE))
        return self.image


def _page_as_json(page: PdfPage) -> dict[str, Any]:
    json: dict[str, Any] = {"of": page.of}
    if page.image is not None:
        json["image"] = _base64(page.image)
    if page.text is not None:
        json["text"] = page.text.model_dump(mode="json")
    return json


def _jpeg_of(data: bytes) -> bytes:
    return heic_as_jpeg(data) if sniff(data) == "image/heic" else as_jpeg(decode_image(data))


def _enlarged(box: tuple[int, int, int, int], scale: float) -> list[int]:
    return [round(side * scale) for side in box]


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def main() -> None:
    """Serve jobs until the input ends."""
    jobs, answers = _take_streams()
    _limit_resources()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which then closes our input
    worker = Worker()
    while (frame := read_frame(jobs)) is not None:
        header, data = frame
        signal.alarm(SUICIDE_SECONDS)
        result = worker.answer(str(header.get("job")), data)
        signal.alarm(0)
        write_frame(answers, result)
        _give_memory_back()


def _limit_resources() -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_DATA, DATA_BYTES),
        (resource.RLIMIT_CORE, 0),  # a stranger's document must not be left on a disk
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


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
