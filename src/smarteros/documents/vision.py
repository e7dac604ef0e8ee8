"""Google Cloud Vision over plain REST (its client library costs 2.4 s of import)."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretStore

BASE_URL = "https://vision.googleapis.com"
RETRY_AFTER_SECONDS = (0.5, 2.0)
TIMEOUT_SECONDS = 10.0
MAX_IMAGE_BYTES = 7 * 1024 * 1024  # Vision takes 10 MB of JSON, and base64 adds a third
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED = 3, 8  # google.rpc.Code
_TRANSIENT_CODES = frozenset({4, _RESOURCE_EXHAUSTED, 13, 14})
_LINE_BREAKS = frozenset({"EOL_SURE_SPACE", "LINE_BREAK"})
_SPACES = frozenset({"SPACE", "SURE_SPACE"})

Json = dict[str, Any]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class VisionOcrEngine:
    """Reads with ``DOCUMENT_TEXT_DETECTION``, Spanish and English, with one tenant's key (``ocr/api_key``)."""

    http: HttpClient
    secrets: SecretStore
    scope: TenantScope
    base_url: str = BASE_URL
    sleep: Callable[[float], None] = time.sleep

    def read(self, image: bytes) -> OcrPage:
        """Read an image. ConfigError when the key is refused, TransientError when the quota is used up."""
        if len(image) > MAX_IMAGE_BYTES:
            raise RejectedInputError("image_too_large", "Vision takes at most 7 MiB", status=413)
        key = self.secrets.read(self.scope, "ocr/api_key")
        for pause in RETRY_AFTER_SECONDS:
            try:
                return _page_of(self._annotate(image, key))
            except TransientError:
                self.sleep(pause)
        return _page_of(self._annotate(image, key))

    def _annotate(self, image: bytes, key: str) -> Json:
        body = {
            "requests": [
                {
                    "image": {"content": base64.b64encode(image).decode("ascii")},
                    "features": [{"type": "DOCUMENT_TEXT_DETECTION"}],
                    "imageContext": {"languageHints": ["es", "en"]},
                }
            ]
        }
        url = f"{self.base_url}/v1/images:annotate"
        headers = {"x-goog-api-key": key}
        try:
            answer = self.http.json("POST", url, headers=headers, json=body, timeout_s=TIMEOUT_SECONDS)
        except HttpFault as fault:
            raise _sorted(fault) from fault
        responses = _objects(answer, "responses")
        if len(responses) != 1:
            raise TransientError("vision_unreadable", "Vision did not answer for the one image")
        # A failing image is HTTP 200 with an error inside.
        error = responses[0].get("error")
        if error:
            raise _image_error(error)
        return responses[0]


def _sorted(fault: HttpFault) -> SmosError:
    if fault.status in (401, 403) or "API_KEY" in fault.body:
        return ConfigError("vision_key_refused", f"Vision refuses the key: {fault}")
    if fault.status == 400:
        return RejectedInputError("image_unreadable", f"Vision refuses the image: {fault}")
    if fault.transient:
        return TransientError("vision_unavailable", f"Vision: {fault}")
    return PermanentError("vision_failed", f"Vision: {fault}")


def _image_error(error: Any) -> SmosError:
    details = cast("Json", error) if isinstance(error, dict) else {}
    code, message = details.get("code"), str(details.get("message"))[:200]
    if code in _TRANSIENT_CODES:
        return TransientError("vision_unavailable", f"Vision: {message}")
    if code == _INVALID_ARGUMENT:
        return RejectedInputError("image_unreadable", f"Vision cannot read the image: {message}")
    return PermanentError("vision_failed", f"Vision: code {code}: {message}")


def _page_of(response: Json) -> OcrPage:
    """The lines of the first page; no text at all is an empty response."""
    pages = _objects(response.get("fullTextAnnotation") or {}, "pages")
    if not pages:
        return OcrPage(lines=(), width=0, height=0)
    page = pages[0]
    words = [
        word
        for block in _objects(page, "blocks")
        for paragraph in _objects(block, "paragraphs")
        for word in _objects(paragraph, "words")
    ]
    return OcrPage(lines=tuple(_lines(words)), width=int(page.get("width", 0)), height=int(page.get("height", 0)))


def _lines(words: list[Json]) -> Iterator[OcrLine]:
    """Join words up to the breaks Vision saw; a line is as sure as its weakest word."""
    text, weakest, boxes = "", 1.0, list[Box]()
    for word in words:
        spelled, end = _spell(word)
        text += spelled
        weakest = min(weakest, float(word.get("confidence", 1.0)))
        boxes.append(_box(word))
        if end in _LINE_BREAKS:
            yield _line(text, weakest, boxes)
            text, weakest, boxes = "", 1.0, []
        elif end in _SPACES:
            text += " "
    if boxes:
        yield _line(text, weakest, boxes)


def _spell(word: Json) -> tuple[str, str | None]:
    symbols = _objects(word, "symbols")
    text = "".join(str(symbol.get("text", "")) for symbol in symbols)
    last: Json = symbols[-1] if symbols else {}
    return text, last.get("property", {}).get("detectedBreak", {}).get("type")


def _box(word: Json) -> Box:
    """The upright box; Vision leaves out a coordinate that is 0."""
    corners = _objects(word.get("boundingBox") or {}, "vertices")
    across = [int(corner.get("x", 0)) for corner in corners] or [0]
    down = [int(corner.get("y", 0)) for corner in corners] or [0]
    return min(across), min(down), max(across), max(down)


def _line(text: str, confidence: float, boxes: list[Box]) -> OcrLine:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return OcrLine(text=text.strip(), confidence=confidence, box=(min(lefts), min(tops), max(rights), max(bottoms)))


def _objects(value: Any, key: str) -> list[Json]:
    """The list of objects under ``key``; empty when the answer has another shape."""
    items: Any = cast("Json", value).get(key) if isinstance(value, dict) else None
    return cast("list[Json]", items) if isinstance(items, list) else []
