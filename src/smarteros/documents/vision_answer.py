"""Vision's ``fullTextAnnotation`` as our lines. It comes from outside: whatever its shape, nothing here breaks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

from smarteros.documents.protocol import OcrLine, OcrPage

_LINE_BREAKS = frozenset({"EOL_SURE_SPACE", "LINE_BREAK"})
_SPACES = frozenset({"SPACE", "SURE_SPACE"})
_MOST_PIXELS = 100_000  # no page is that long; larger coordinates are nonsense

Json = dict[str, Any]
Box = tuple[int, int, int, int]


def page_of(response: Json) -> OcrPage:
    """Return the lines of the first page; no text at all is an empty response."""
    pages = _objects(response.get("fullTextAnnotation"), "pages")
    if not pages:
        return OcrPage(lines=(), width=0, height=0)
    page = pages[0]
    words = [
        word
        for block in _objects(page, "blocks")
        for paragraph in _objects(block, "paragraphs")
        for word in _objects(paragraph, "words")
    ]
    return OcrPage(lines=tuple(_lines(words)), width=_pixels(page.get("width")), height=_pixels(page.get("height")))


def _lines(words: list[Json]) -> Iterator[OcrLine]:
    """Join words up to the breaks Vision saw; a line is as sure as its weakest word."""
    text, weakest, boxes = "", 1.0, list[Box]()
    for word in words:
        spelled, end = _spell(word)
        text += spelled
        weakest = min(weakest, _share(word.get("confidence")))
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
    broken = _object(_object(symbols[-1] if symbols else {}, "property"), "detectedBreak")
    kind = broken.get("type")
    return text, kind if isinstance(kind, str) else None


def _box(word: Json) -> Box:
    """The upright box; Vision leaves out a coordinate that is 0."""
    corners = _objects(word.get("boundingBox"), "vertices")
    across = [_pixels(corner.get("x")) for corner in corners] or [0]
    down = [_pixels(corner.get("y")) for corner in corners] or [0]
    return min(across), min(down), max(across), max(down)


def _line(text: str, confidence: float, boxes: list[Box]) -> OcrLine:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return OcrLine(text=text.strip(), confidence=confidence, box=(min(lefts), min(tops), max(rights), max(bottoms)))


def _objects(value: Any, key: str) -> list[Json]:
    """The list of objects under ``key``; empty when the answer has another shape."""
    items: Any = cast("Json", value).get(key) if isinstance(value, dict) else None
    if not isinstance(items, list):
        return []
    return [cast("Json", item) for item in cast("list[Any]", items) if isinstance(item, dict)]


def _object(value: Json, key: str) -> Json:
    inner: Any = value.get(key)
    return cast("Json", inner) if isinstance(inner, dict) else {}


def _pixels(value: Any) -> int:
    """A coordinate; 0 when it is left out. Vision may give ones a little outside the picture."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return max(-_MOST_PIXELS, min(int(value), _MOST_PIXELS))


def _share(value: Any) -> float:
    """A confidence from 0 to 1; 1 where Vision gives none."""
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return max(0.0, min(float(value), 1.0))
