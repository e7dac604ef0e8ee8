"""What the stand-in can see in a picture: the lines which ``render_invoice`` wrote into its PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smarteros_sandbox.shops.render import LINES_CHUNK

LARGEST_SIDE = 20_000


class PrintedLine(BaseModel):
    """One line of the paper; ``box`` is left, top, right, bottom."""

    model_config = ConfigDict(frozen=True, strict=True)

    text: str = Field(max_length=300)
    box: list[int] = Field(min_length=4, max_length=4)


class PrintedPage(BaseModel):
    """The chunk. It comes from outside, so it is checked like any other input."""

    model_config = ConfigDict(frozen=True, strict=True)

    blurred: bool
    lines: list[PrintedLine] = Field(max_length=200)


@dataclass(frozen=True)
class Picture:
    """A decodable picture; ``page`` is None when the stand-in knows nothing about it."""

    width: int
    height: int
    page: PrintedPage | None


def look_at(data: bytes) -> Picture | None:
    """None for what is no picture (Vision's "Bad image data."). Only the header is decoded."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            chunk: object = image.info.get(LINES_CHUNK)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None
    except Image.DecompressionBombWarning:  # only where warnings are errors
        return None
    if max(width, height) > LARGEST_SIDE:
        return None
    return Picture(width, height, _page(chunk) if isinstance(chunk, str) else None)


def _page(chunk: str) -> PrintedPage | None:
    try:
        return PrintedPage.model_validate_json(chunk)
    except ValidationError:
        return None
