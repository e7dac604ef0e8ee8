"""Where the modules of a flat timbre are: how many columns and rows it has, and where they begin.

Columns are told by the average of many lines: start, stop, and a bar at the beginning of every codeword remain, the
rest becomes grey. Rows are told by the alphabets, which take turns: each line is compared with all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from smarteros.documents.timbre.locate import Grey
from smarteros.documents.timbre.symbol import (
    ALPHABETS,
    MOST_WORDS,
    PATTERNS,
    START,
    STOP,
    WORD,
    Ink,
    bell,
    blurred_patterns,
    modules_wide,
)

cv: Any = cv2  # its stubs know arrays of unknown kind only
_COLUMNS = range(4, 25)
_QUIET = 4  # modules beside the symbol that are compared as well
_LEAST_LIKENESS = 0.6  # correlation with the average line; timbres have 0.67 to 0.92, text and stripes below 0.4
_ROW_HEIGHTS = (1.5, 6.0)  # modules; SII asks for 3
_LEAST_WORDS = 150  # a timbre has some 500 to 700
_SAMPLES, _MARGIN = 2, 2  # a module; modules beside a codeword
_USUAL_BLUR = 0.8  # modules
_LINE_STEP = 0.7  # modules from one compared line to the next
_OUTSIDE = 0.3  # of the lines' average distinction: a row that shows less of it is none
_NUDGES: NDArray[np.float64] = np.arange(-1, 1.01, 0.25)  # rows by which the first and the last line may be off


@dataclass(frozen=True)
class Grid:
    """A symbol's place in a flat picture, in its pixels, and its size in codewords."""

    columns: int
    rows: int
    left: float
    right: float
    top: float
    bottom: float

    @property
    def modules(self) -> int:
        """Modules in a row."""
        return modules_wide(self.columns)


def find_grid(flat: Grey, quiet: int) -> tuple[Grey, Grid] | None:
    """The picture the right way up and its grid; None when it holds no timbre that can be made out.

    ``quiet`` pixels on each side of ``flat`` are no part of the symbol, give or take a row and three modules.
    """
    found = _columns(flat)
    if found is None:
        return None
    columns, left, right, upside_down = found
    upright = np.ascontiguousarray(np.rot90(flat, 2)) if upside_down else flat
    rows = _rows(upright, columns, left, right, quiet)
    return None if rows is None else (upright, Grid(columns, rows[0], left, right, rows[1], rows[2]))


def _average_line(columns: int) -> Ink:
    """What the mean of many rows looks like at ``_SAMPLES`` a module, with paper on both sides, of length one."""
    usual = np.tile(PATTERNS.mean(axis=(0, 1)), columns + 2)
    paper = np.zeros(_QUIET, np.float32)
    line = np.repeat(np.concatenate([paper, START, usual, STOP, paper]), _SAMPLES)
    soft = np.convolve(line, bell(_USUAL_BLUR * _SAMPLES), "same")
    soft = soft - soft.mean()
    return (soft / np.linalg.norm(soft)).astype(np.float32)


_AVERAGE_LINES = {columns: _average_line(columns) for columns in _COLUMNS}


def _columns(flat: Grey) -> tuple[int, float, float, bool] | None:
    """How many columns, the first and last module's outer edges, and whether the picture is upside down."""
    high, wide = flat.shape
    line: Any = 255 - flat[high // 4 : high - high // 4].astype(np.float32).mean(axis=0)
    line = line - np.percentile(line, 2)
    inked = np.flatnonzero(line > 0.35 * np.percentile(line, 98))
    if inked.size < 2 or inked[-1] - inked[0] < wide // 2:
        return None
    first, last = float(inked[0]), float(inked[-1] + 1)
    best = (_LEAST_LIKENESS, 0, 0.0, 0.0, False)
    for upside_down in (False, True):
        lying = line[::-1] if upside_down else line
        edges = (wide - last, wide - first) if upside_down else (first, last)
        for columns, wanted in _AVERAGE_LINES.items():
            likeness, left, right = _fitted(lying, wanted, modules_wide(columns), edges)
            if likeness > best[0]:
                best = (likeness, columns, left, right, upside_down)
    return None if best[1] == 0 else best[1:]


def _fitted(
    line: NDArray[np.float32], wanted: Ink, modules: int, edges: tuple[float, float]
) -> tuple[float, float, float]:
    """The best correlation with an average line, and the edges that give it: the last bar is thin and easily lost."""
    module = (edges[1] - edges[0]) / modules
    lefts = edges[0] + np.arange(-1.5, 1.51, 0.5) * module
    rights = edges[1] + np.arange(-1.5, 4.51, 0.5) * module
    left, right = (part.ravel() for part in np.meshgrid(lefts, rights))
    along = (np.arange(len(wanted)) + 0.5) / _SAMPLES - _QUIET
    at = left[:, None] + along * ((right - left) / modules)[:, None] - 0.5
    seen = line[np.clip(at.round().astype(int), 0, len(line) - 1)]
    seen = seen - seen.mean(axis=1, keepdims=True)
    likeness = seen @ wanted / (np.linalg.norm(seen, axis=1) + 1e-6)
    best = int(likeness.argmax())
    return float(likeness[best]), float(left[best]), float(right[best])


def _rows(flat: Grey, columns: int, left: float, right: float, quiet: int) -> tuple[int, float, float] | None:
    """How many rows, and the outer edges of the first and the last one."""
    module = (right - left) / modules_wide(columns)
    lines = np.arange(0.5, flat.shape[0], module * _LINE_STEP)
    marks = _alphabet_marks(flat, columns, left, right, lines)
    marks = marks - _OUTSIDE * marks.max(axis=0).mean()
    high = flat.shape[0] - 2 * quiet
    best = (0.0, 0, 0.0, 0.0)
    for rows in range(max(3, _LEAST_WORDS // columns), min(90, MOST_WORDS // columns) + 1):
        row = high / rows
        if not _ROW_HEIGHTS[0] < row / module < _ROW_HEIGHTS[1]:
            continue
        top = quiet + np.repeat(_NUDGES, _NUDGES.size) * row
        bottom = quiet + high + np.tile(_NUDGES, _NUDGES.size) * row
        of_line = np.floor((lines - top[:, None]) * (rows / (bottom - top))[:, None]).astype(int)
        inside = (of_line >= 0) & (of_line < rows)
        scores = np.where(inside, marks[of_line % ALPHABETS, np.arange(len(lines))], 0.0).sum(axis=1)
        at = int(scores.argmax())
        if scores[at] > best[0]:
            best = (float(scores[at]), rows, float(top[at]), float(bottom[at]))
    return None if best[1] == 0 else best[1:]


def _alphabet_marks(
    flat: Grey, columns: int, left: float, right: float, lines: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much more each line looks like each alphabet than like the average one (alphabets x lines)."""
    patterns = blurred_patterns(_USUAL_BLUR, _SAMPLES, _MARGIN)
    patterns = patterns - patterns.mean(axis=2, keepdims=True)
    patterns /= np.linalg.norm(patterns, axis=2, keepdims=True)
    along = (np.arange((modules_wide(columns) + 2 * _MARGIN) * _SAMPLES) + 0.5) / _SAMPLES - _MARGIN
    across = left + along * (right - left) / modules_wide(columns) - 0.5
    places: list[Any] = list(np.meshgrid(across.astype(np.float32), (lines - 0.5).astype(np.float32)))
    seen: Any = 255.0 - cv.remap(flat, places[0], places[1], cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE)
    words = words_of(seen.astype(np.float32), columns, _SAMPLES, _MARGIN)
    words = words - words.mean(axis=2, keepdims=True)
    words /= np.linalg.norm(words, axis=2, keepdims=True) + 1e-3
    flat_words = words.reshape(-1, words.shape[2])
    best = np.stack([(flat_words @ alphabet.T).max(axis=1) for alphabet in patterns])
    likeness = best.reshape(ALPHABETS, *words.shape[:2]).mean(axis=2)
    return cast("NDArray[np.float64]", (likeness - likeness.mean(axis=0)).astype(np.float64))


def words_of(lines: Ink, columns: int, samples: int, margin: int) -> Ink:
    """The codewords of sampled lines (lines x words x samples), each with ``margin`` modules of its neighbours."""
    length = (WORD + 2 * margin) * samples
    starts = [WORD * samples * (word + 1) for word in range(columns + 2)]
    return np.stack([lines[:, start : start + length] for start in starts], axis=1)
