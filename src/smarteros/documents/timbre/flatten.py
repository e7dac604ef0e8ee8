"""Making a bent timbre flat: paper curls, and the decoder follows straight rows only.

Its four edges are found in the levelled cut-out: above and below as a gentle wave, left and right as a line.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from smarteros.documents.timbre.locate import Grey

cv: Any = cv2  # its stubs know arrays of unknown kind only
num: Any = np
_STRIPS = 48  # places at which an edge is looked for
_EDGE = 0.45  # of the inside's texture: below that it is outside
_GRID = 250  # points across at which the bending is computed
_OUTWARDS = 0.025  # of the cut-out's width
QUIET = 0.03  # of the width, kept white around the flat timbre
_MOST_OFF = 2.5  # times the median distance from the fit: a line of text touched the edge there

Curve = NDArray[np.float64]


def flattened(cut: Grey, width: int) -> Grey | None:
    """The timbre of a cut-out as a rectangle ``width`` pixels wide; None when its edges are not to be seen."""
    edges = _edges(cut)
    if edges is None:
        return None
    left, right, top, bottom = edges
    high = cut.shape[0]
    middle = high / 2
    wide = _at(right, middle) - _at(left, middle)
    tall = _at(bottom, cut.shape[1] / 2) - _at(top, cut.shape[1] / 2)
    if wide < 40 or tall < 12:
        return None
    rows = max(round(width * tall / wide), 12)
    across, down = _where_from(edges, rows / width, middle)
    maps: list[Any] = [cv.resize(part, (width, rows), interpolation=cv.INTER_LINEAR) for part in (across, down)]
    flat = cv.remap(cut, maps[0], maps[1], cv.INTER_CUBIC, borderMode=cv.BORDER_REPLICATE)
    quiet = round(width * QUIET)
    paper = int(np.percentile(cut, 95))
    return cast("Grey", cv.copyMakeBorder(flat, quiet, quiet, quiet, quiet, cv.BORDER_CONSTANT, value=paper))


def _at(curve: Curve, place: float) -> float:
    value: Any = np.polyval(curve, place)
    return float(value)


def _where_from(edges: tuple[Curve, Curve, Curve, Curve], shape: float, middle: float) -> tuple[Any, Any]:
    """Where in the cut-out each place of the rectangle lies, on a coarse grid (between its points it is straight)."""
    left, right, top, bottom = edges
    u, v = np.meshgrid(np.linspace(0, 1, _GRID), np.linspace(0, 1, max(round(_GRID * shape), 8)))
    x, y = u, np.full_like(u, middle)
    for _ in range(3):  # the edges depend on each other's coordinate; three rounds are exact to a tenth of a pixel
        x = np.polyval(left, y) * (1 - u) + np.polyval(right, y) * u
        y = np.polyval(top, x) * (1 - v) + np.polyval(bottom, x) * v
    return x.astype(np.float32), y.astype(np.float32)


def _edges(cut: Grey) -> tuple[Curve, Curve, Curve, Curve] | None:
    """Left and right as x(y), top and bottom as y(x): coefficients of polynomials."""
    across: Any = np.abs(cv.Sobel(cut, cv.CV_32F, 1, 0, ksize=3))
    smooth = max(cut.shape[1] // 60, 3)
    texture: Any = cv.blur(across, (smooth * 2 + 1, smooth // 2 * 2 + 1))
    high, wide = cut.shape
    inside = float(np.median(texture[high // 3 : high * 2 // 3, wide // 3 : wide * 2 // 3]))
    if inside < 4.0:
        return None
    full: Any = texture > inside * _EDGE
    columns: Any = num.linspace(wide * 0.14, wide * 0.86, _STRIPS).astype(int)
    tops, bottoms = _ends(full[:, columns].T, high)
    rows: Any = num.linspace(high * 0.25, high * 0.75, _STRIPS).astype(int)
    # The bars at both ends have gaps as wide as the texture's window: closed before the ends are looked for.
    closed: Any = cv.morphologyEx(full.astype(np.uint8), cv.MORPH_CLOSE, np.ones((1, smooth * 3 + 1), np.uint8))
    lefts, rights = _ends(closed[rows].astype(bool), wide)
    fits = [
        _fit(columns, tops, 4), _fit(columns, bottoms, 4), _fit(rows, lefts, 1), _fit(rows, rights, 1),
    ]  # fmt: skip
    if any(fit is None for fit in fits):
        return None
    top, bottom, left, right = cast("list[Curve]", fits)
    # The first bar is eight modules wide: its black inside has no texture, so the run ends short of it.
    outwards = wide * _OUTWARDS
    shift = np.array([0.0, outwards])
    return left - shift, right + shift, top, bottom


def _ends(lines: NDArray[np.bool_], length: int) -> tuple[Curve, Curve]:
    """First and last place of the unbroken run through each line's middle; NaN where the middle is empty."""
    firsts = np.full(len(lines), np.nan)
    lasts = np.full(len(lines), np.nan)
    middle = length // 2
    for at, line in enumerate(lines):
        if not line[middle]:
            continue
        before = np.flatnonzero(~line[:middle])
        after = np.flatnonzero(~line[middle:])
        firsts[at] = before[-1] + 1 if before.size else np.nan
        lasts[at] = middle + after[0] - 1 if after.size else np.nan
    return firsts, lasts


def _fit(places: NDArray[np.int_], values: Curve, degree: int) -> Curve | None:
    good = ~np.isnan(values)
    for _ in range(3):
        if good.sum() < _STRIPS // 3:
            return None
        fit = np.polyfit(places[good], values[good], degree)
        off = np.abs(np.polyval(fit, places) - values)
        limit = max(_MOST_OFF * float(np.median(off[good])), 1.5)
        good = good & (off <= limit)
    return np.polyfit(places[good], values[good], degree) if good.sum() >= _STRIPS // 3 else None
