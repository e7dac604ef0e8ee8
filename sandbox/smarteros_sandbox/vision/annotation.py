"""Builds ``fullTextAnnotation`` and ``textAnnotations`` the way Cloud Vision writes them.

Pages hold blocks, paragraphs, words and symbols, each with a confidence and a bounding box; a vertex leaves
out a coordinate that is 0; the break after a symbol tells where spaces and line ends are.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from smarteros_sandbox.vision.pictures import Picture, PrintedLine, PrintedPage

CLEAR = (0.95, 0.99)
POOR = (0.32, 0.61)

Json = dict[str, Any]
Box = tuple[int, int, int, int]


def annotate(picture: Picture, *, poor: bool) -> Json:
    """The response for one picture; {} when there is no text, as the real service answers."""
    page = picture.page
    if page is None:
        return {}
    poor = poor or page.blurred
    lines = _faded(page) if poor else list(page.lines)
    blocks = [_block(line, POOR if poor else CLEAR) for line in lines if line.text.strip()]
    if not blocks:
        return {}
    text = "\n".join(line.text for line in lines if line.text.strip()) + "\n"
    return {
        "textAnnotations": _text_annotations(text, blocks),
        "fullTextAnnotation": {
            "pages": [
                {
                    "property": _languages(poor=poor),
                    "width": picture.width,
                    "height": picture.height,
                    "blocks": blocks,
                    "confidence": _mean(blocks),
                }
            ],
            "text": text,
        },
    }


def _faded(page: PrintedPage) -> list[PrintedLine]:
    """What is left of a blurred page: every second line, in it every second word, with letters missing."""
    return [
        PrintedLine(text=" ".join(word[::2] for word in line.text.split()[::2]), box=line.box)
        for line in page.lines[::2]
    ]


def _languages(*, poor: bool) -> Json:
    return {"detectedLanguages": [{"languageCode": "es", "confidence": 0.38 if poor else 0.94}]}


def _block(line: PrintedLine, confidence: tuple[float, float]) -> Json:
    words = _words(line, confidence)
    box = _poly((line.box[0], line.box[1], line.box[2], line.box[3]))
    paragraph = {"boundingBox": box, "words": words, "confidence": _mean(words)}
    return {
        "boundingBox": box,
        "paragraphs": [paragraph],
        "blockType": "TEXT",
        "confidence": paragraph["confidence"],
    }


def _words(line: PrintedLine, confidence: tuple[float, float]) -> list[Json]:
    texts = line.text.split()
    left, top, right, bottom = line.box
    step = (right - left) / max(len(" ".join(texts)), 1)
    words: list[Json] = []
    start = 0
    for position, text in enumerate(texts):
        ending = "SPACE" if position < len(texts) - 1 else "LINE_BREAK"
        x = left + start * step
        symbols = [
            _symbol(letter, (round(x + index * step), top, round(x + (index + 1) * step), bottom), confidence)
            for index, letter in enumerate(text)
        ]
        symbols[-1]["property"] = {"detectedBreak": {"type": ending}}
        box = _poly((round(x), top, round(x + len(text) * step), bottom))
        words.append({"boundingBox": box, "symbols": symbols, "confidence": _mean(symbols)})
        start += len(text) + 1
    return words


def _symbol(letter: str, box: Box, confidence: tuple[float, float]) -> Json:
    low, high = confidence
    # The same letter at the same place always gets the same confidence.
    share = crc32(f"{letter}{box}".encode("utf-8", "replace")) % 1000 / 1000
    return {"boundingBox": _poly(box), "text": letter, "confidence": round(low + share * (high - low), 6)}


def _mean(parts: list[Json]) -> float:
    return round(sum(part["confidence"] for part in parts) / len(parts), 6)


def _poly(box: Box) -> Json:
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return {"vertices": [{name: value for name, value in (("x", x), ("y", y)) if value != 0} for x, y in corners]}


def _text_annotations(text: str, blocks: list[Json]) -> list[Json]:
    words = [word for block in blocks for paragraph in block["paragraphs"] for word in paragraph["words"]]
    corners = [vertex for block in blocks for vertex in block["boundingBox"]["vertices"]]
    xs = [vertex.get("x", 0) for vertex in corners]
    ys = [vertex.get("y", 0) for vertex in corners]
    whole = {"locale": "es", "description": text, "boundingPoly": _poly((min(xs), min(ys), max(xs), max(ys)))}
    return [
        whole,
        *(
            {
                "description": "".join(symbol["text"] for symbol in word["symbols"]),
                "boundingPoly": word["boundingBox"],
            }
            for word in words
        ),
    ]
