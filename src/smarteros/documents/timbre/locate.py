"""Where a photo may hold a timbre: PDF417 is the densest texture on an invoice.

On the whole photo the decoder finds few (measured: 2 of 10 phone originals); on the straightened and enlarged
texture it finds all of them. So the texture is looked for first, at low resolution, and cut out of the original.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

cv: Any = cv2  # its stubs know arrays of unknown kind only
Grey = NDArray[np.uint8]

SEARCH_SIDE = 1600  # pixels; finer modules than this shows are not to be decoded anyway
MOST_CANDIDATES = 3
_CELL = 8  # pixels of the search picture that become one cell of the texture map
_SMALLEST_AREA = 40  # cells
_MOST_OF_THE_PICTURE = 0.97
_SLIMMEST, _STOUTEST = 1.0, 9.0  # width / height; SII asks for 2 x 5 to 4 x 9 cm, narrow paper makes them higher
_MARGIN = 0.12  # of the width: start and stop patterns have little texture, and a quiet zone helps


@dataclass(frozen=True)
class Candidate:
    """A turned rectangle of the photo: centre, sides (the long one is the width) in pixels, angle in degrees."""

    centre: tuple[float, float]
    width: float
    height: float
    angle: float
    score: float

    @property
    def corners(self) -> NDArray[np.float32]:
        """Its four corners."""
        return cast("NDArray[np.float32]", cv.boxPoints((self.centre, (self.width, self.height), self.angle)))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The upright rectangle around it."""
        corners = self.corners
        left, top = np.floor(corners.min(axis=0))
        right, bottom = np.ceil(corners.max(axis=0))
        return max(int(left), 0), max(int(top), 0), int(right), int(bottom)


def find_candidates(grey: Grey) -> list[Candidate]:
    """The dense textures of a grey picture that have a timbre's shape, the likeliest first."""
    scale = min(1.0, SEARCH_SIDE / max(grey.shape))
    small = grey if scale == 1.0 else _resized(grey, scale)
    energy = _texture(small)
    if energy.size == 0:
        return []
    found: list[Candidate] = []
    for mask in _masks(energy):
        for candidate in _shapes(mask, energy, _CELL / scale):
            if not any(_same_place(candidate, other) for other in found):
                found.append(candidate)
    return sorted(found, key=lambda candidate: -candidate.score)[:MOST_CANDIDATES]


def straightened(grey: Grey, candidate: Candidate, *, width: int, most_scale: float = 4.0) -> Grey:
    """Cut a candidate out, turned level and enlarged to ``width`` pixels, at most ``most_scale`` times."""
    margin = candidate.width * _MARGIN
    wide, high = candidate.width + 2 * margin, candidate.height + 2 * margin
    scale = min(most_scale, max(1.0, width / wide))
    turn: Any = cv.getRotationMatrix2D(candidate.centre, candidate.angle, scale)
    turn[0, 2] += wide * scale / 2 - candidate.centre[0]
    turn[1, 2] += high * scale / 2 - candidate.centre[1]
    size = (max(int(wide * scale), 1), max(int(high * scale), 1))
    how = cv.INTER_CUBIC if scale > 1.0 or candidate.angle % 90 else cv.INTER_NEAREST
    return cast("Grey", cv.warpAffine(grey, turn, size, flags=how, borderMode=cv.BORDER_REPLICATE))


def _resized(grey: Grey, scale: float) -> Grey:
    size = (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1))
    return cast("Grey", cv.resize(grey, size, interpolation=cv.INTER_AREA))


def _texture(small: Grey) -> NDArray[np.float32]:
    """How much the brightness changes per pixel, cell by cell: text has gaps between its lines, a timbre none."""
    rows, columns = small.shape[0] // _CELL, small.shape[1] // _CELL
    if rows < 3 or columns < 3:
        return np.zeros((0, 0), np.float32)
    across: Any = np.abs(cv.Sobel(small, cv.CV_16S, 1, 0, ksize=1))
    down: Any = np.abs(cv.Sobel(small, cv.CV_16S, 0, 1, ksize=1))
    both = cast("NDArray[np.float32]", (across + down).astype(np.float32))
    return cast(
        "NDArray[np.float32]",
        cv.resize(both[: rows * _CELL, : columns * _CELL], (columns, rows), interpolation=cv.INTER_AREA),
    )


def _masks(energy: NDArray[np.float32]) -> list[Grey]:
    """The texture map cut at several heights: light and sharpness differ from photo to photo."""
    # The weakest of a cell and its neighbours: lines of text leave holes, a full texture does not.
    full: Any = cv.erode(cv.blur(energy, (3, 3)), np.ones((3, 3), np.uint8))
    peak = float(np.percentile(full, 99.5))
    if peak < 4.0:
        return []
    masks: list[Grey] = []
    for part in (0.55, 0.35):
        mask = (full > peak * part).astype(np.uint8)
        closed: Any = cv.morphologyEx(mask, cv.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        undone: Any = cv.dilate(closed, np.ones((3, 3), np.uint8))
        masks.append(undone)
    return masks


def _shapes(mask: Grey, energy: NDArray[np.float32], cell: float) -> list[Candidate]:
    contours, _ = cv.findContours(mask, cv.RETR_EXTERNAL, cv.CHAIN_APPROX_NONE)
    shapes: list[Candidate] = []
    for contour in contours:
        area = float(cv.contourArea(contour))
        if area < _SMALLEST_AREA or area > mask.size * _MOST_OF_THE_PICTURE:
            continue
        (x, y), (wide, high), angle = cv.minAreaRect(contour)
        wide, high = wide + 1, high + 1
        if wide < high:
            wide, high, angle = high, wide, angle + 90
        if not _SLIMMEST <= wide / max(high, 1.0) <= _STOUTEST:
            continue
        filled = area / (wide * high)
        if filled < 0.55:
            continue
        inside = np.zeros_like(mask)
        cv.drawContours(inside, [contour], -1, 1, -1)
        density = float(energy[inside > 0].mean())
        centre = ((x + 0.5) * cell, (y + 0.5) * cell)
        score = density * filled**2 * area**0.5
        shapes.append(Candidate(centre, wide * cell, high * cell, _level(angle), score))
    return shapes


def _level(angle: float) -> float:
    """The same line's angle between -90 and 90 degrees."""
    return (angle + 90) % 180 - 90


def _same_place(one: Candidate, other: Candidate) -> bool:
    near = np.hypot(one.centre[0] - other.centre[0], one.centre[1] - other.centre[1]) < 0.1 * other.width
    return bool(near and 0.8 < one.width / other.width < 1.25)
