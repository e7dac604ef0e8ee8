"""The bytes of a timbre in a picture. Lives in the worker process only: it decodes what strangers send."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import zxingcpp

from smarteros.documents.timbre.flatten import QUIET, flattened
from smarteros.documents.timbre.grid import find_grid
from smarteros.documents.timbre.locate import Candidate, Grey, find_candidates, straightened
from smarteros.documents.timbre.matched import readings

cv: Any = cv2  # its stubs know arrays of unknown kind only
WIDTH = 1800  # pixels a cut-out is enlarged to; 341 to 500 modules
MOST_SECONDS = 0.8  # of CPU for all tries on one picture; what is readable takes 0.01 to 0.5
LONGEST = 4096  # bytes; a PDF417 holds 1,108
_CHECKED_WIDTH = 600
_LEAST_CONTRAST = 30.0  # of 255
_END = 0.12  # of the width, with the quiet zone: the first bar is 8 of 341 modules, the last 7
_SURE_TEXTURE = 0.5  # of the best candidate's score: weaker ones are looked at only once


@dataclass(frozen=True)
class DecodedTimbre:
    """The raw bytes (ISO 8859-1 XML when genuine) and where in the picture they stood."""

    data: bytes
    place: Candidate


@dataclass(frozen=True)
class TimbreSearch:
    """What was found. ``seen`` says where something like a timbre is that could not be decoded."""

    timbre: DecodedTimbre | None = None
    seen: Candidate | None = None


def search_timbre(grey: Grey, *, most_seconds: float = MOST_SECONDS) -> TimbreSearch:
    """Find and decode a timbre in a grey picture, whichever way it is turned, within a bound of CPU time."""
    until = time.thread_time() + most_seconds  # of this thread: a busy machine changes no answer
    candidates = find_candidates(grey)
    for at, candidate in enumerate(candidates):
        thorough = at == 0 or candidate.score > _SURE_TEXTURE * candidates[0].score
        for picture in _pictures(grey, candidate, thorough=thorough):
            data = _decoded(picture)
            if data is not None:
                return TimbreSearch(DecodedTimbre(data, candidate))
            if time.thread_time() > until:
                break
    best = candidates[0] if candidates else None
    return TimbreSearch(seen=best if best is not None and _is_barcode(grey, best) else None)


def _pictures(grey: Grey, candidate: Candidate, *, thorough: bool) -> Iterator[Grey]:
    """A candidate in the ways that make it readable, the cheapest first."""
    level = straightened(grey, candidate, width=WIDTH)
    upright = (level, np.rot90(level)) if candidate.height > 0.7 * candidate.width else (level,)
    for picture in upright:  # nearly square: which side is the long one is a guess
        flat = flattened(picture, WIDTH)
        if flat is None:
            continue
        yield flat
        found = find_grid(flat, round(WIDTH * QUIET)) if thorough else None
        if found is not None:
            yield from readings(*found)
    if thorough:
        yield level
        yield _rows_pressed(level)


def _rows_pressed(picture: Grey) -> Grey:
    """Sharpened, then averaged down the bars: noise goes, and a row is several pixels high."""
    soft: Any = cv.GaussianBlur(picture, (0, 0), 3)
    sharp: Any = cv.addWeighted(picture, 2.5, soft, -1.5, 0)
    return cast("Grey", cv.blur(sharp, (1, 9)))


def _decoded(picture: Grey) -> bytes | None:
    zxing: Any = zxingcpp
    found = zxing.read_barcodes(np.ascontiguousarray(picture), formats=zxingcpp.BarcodeFormat.PDF417, try_invert=False)
    return next((bytes(code.bytes) for code in found if 0 < len(code.bytes) <= LONGEST), None)


def _is_barcode(grey: Grey, candidate: Candidate) -> bool:
    """Tell a barcode that nobody can decode from dense text: at both its ends a bar stands over the whole height."""
    level = straightened(grey, candidate, width=_CHECKED_WIDTH, most_scale=1.0)
    upright = (level, np.rot90(level)) if candidate.height > 0.7 * candidate.width else (level,)
    return any(_has_end_bars(picture) for picture in upright)


def _has_end_bars(picture: Grey) -> bool:
    flat = flattened(picture, _CHECKED_WIDTH)
    if flat is None or flat.shape[0] < 30:
        return False
    inner: Any = flat[flat.shape[0] // 5 : -flat.shape[0] // 5].astype(np.float32)
    dark, light = np.percentile(inner, 5), np.percentile(inner, 95)
    if light - dark < _LEAST_CONTRAST:
        return False
    means, spreads = (inner.mean(axis=0) - dark) / (light - dark), inner.std(axis=0) / (light - dark)
    solid = (means < 0.3) & (spreads < 0.15)
    end = round(flat.shape[1] * _END)
    return bool(solid[:end].sum() >= 3 and solid[-end:].sum() >= 3)
