"""Reading a timbre whose modules are hardly larger than pixels: codeword by codeword, against all there are.

A decoder that looks for the edges of bars needs two to three pixels a module. But only 929 patterns are possible at
each place, so the likeliest is found where no edge is seen (a matched filter). What was read tells what the neighbours
add to a codeword's picture, where exactly its modules lie and how blurred the photo is, and with that it is read
again. What is read at last is drawn anew, and the ordinary decoder corrects the errors that are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from smarteros.documents.timbre.grid import Grid, words_of
from smarteros.documents.timbre.locate import Grey
from smarteros.documents.timbre.symbol import ALPHABETS, PATTERNS, WORD, Ink, bell, blurred, blurred_patterns, expected

cv: Any = cv2  # its stubs know arrays of unknown kind only
num: Any = np
MOST_ROUNDS = 14  # one costs 20 to 40 ms; most timbres are read in two
_SETTLED = 0.02  # of the words: when fewer change from one round to the next, no more will be read
_ACROSS, _DOWN = 2, 3  # samples a module, samples a row
_MARGIN = 2  # modules beside the symbol and beside a codeword
_WINDOW = (WORD * 3 * _ACROSS + 1, 8 * _DOWN + 1)  # in which light is taken as even
_WIDE_WINDOW = (WORD * 9 * _ACROSS + 1, 24 * _DOWN + 1)
_FIRST_BLUR = (0.8, 0.35)  # modules across, rows down
_BLURS = ((0.3, 1.6), (0.12, 0.8))  # bounds of the same
_STEPS = ((1.0, 1.0), (0.85, 1.0), (1.15, 1.0), (1.0, 0.85), (1.0, 1.15))
_DRAWN_MODULE, _DRAWN_ROW, _DRAWN_QUIET = 3, 9, 30  # pixels

Field = NDArray[np.float64]


@dataclass
class _State:
    """What is believed so far: how black each module is, the blur, and how far the picture is bent off the grid.

    ``bend`` holds coefficients of ``_terms`` for modules across and rows down.
    """

    ink: Ink
    blur: tuple[float, float]
    bend: Field


def readings(flat: Grey, grid: Grid) -> Iterator[Grey]:
    """What can be read of a flat timbre, drawn anew: a picture after each round, each better than the one before."""
    state = _State(expected(grid.columns, grid.rows), _FIRST_BLUR, np.zeros((2, 10)))
    dark = 255 - flat
    before = state.ink
    for at in range(MOST_ROUNDS):
        seen = _sampled(dark, grid, state.bend)
        evened = _evened(seen, _rendered(state.ink, state.blur), _WINDOW if at else _WIDE_WINDOW)
        state.ink, certain = _read(evened, grid, state)
        if at:
            yield _drawn(certain)
        if _changed(before, certain) < _SETTLED:
            return
        before = certain
        state.blur = _better_blur(seen, state)
        rendered = _rendered(state.ink, state.blur)
        state.bend = state.bend - _off_by(_evened(seen, rendered, _WINDOW) - rendered, rendered, grid)


def _places(grid: Grid) -> tuple[Field, Field]:
    """The samples' places: in modules across, in rows down; a margin is around the symbol."""
    across = (np.arange((grid.modules + 2 * _MARGIN) * _ACROSS) + 0.5) / _ACROSS - _MARGIN
    down = (np.arange((grid.rows + 2) * _DOWN) + 0.5) / _DOWN - 1
    return across, down


def _terms(across: Field, down: Field, grid: Grid) -> Field:
    """The polynomials up to the third degree over the symbol, which is from -1 to 1 both ways (10 x down x across)."""
    x, y = np.meshgrid(across / grid.modules * 2 - 1, down / grid.rows * 2 - 1)
    return np.stack([x**a * y**b for a in range(4) for b in range(4 - a)])


def _sampled(dark: Grey, grid: Grid, bend: Field) -> Ink:
    across, down = _places(grid)
    off = np.tensordot(bend, _terms(across, down, grid), 1)
    x = grid.left + (across + off[0]) * (grid.right - grid.left) / grid.modules - 0.5
    y = grid.top + (down[:, None] + off[1]) * (grid.bottom - grid.top) / grid.rows - 0.5
    maps = x.astype(np.float32), y.astype(np.float32)
    seen: Any = cv.remap(dark, maps[0], maps[1], cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE)
    return cast("Ink", seen.astype(np.float32))


def _rendered(ink: Ink, blur: tuple[float, float]) -> Ink:
    """What a camera would see of the modules."""
    whole = np.pad(ink, ((1, 1), (_MARGIN, _MARGIN)))
    fine = np.repeat(np.repeat(whole, _DOWN, axis=0), _ACROSS, axis=1)
    return blurred(fine, blur[0] * _ACROSS, blur[1] * _DOWN)


def _evened(seen: Ink, wanted: Ink, window: tuple[int, int]) -> Ink:
    """The picture with its light made even: as black and as white as ``wanted``, place by place."""

    def around(picture: Ink) -> Ink:
        return cast("Ink", cv.blur(picture, window, borderType=cv2.BORDER_REFLECT))

    mean, mean_wanted = around(seen), around(wanted)
    together = around(seen * wanted) - mean * mean_wanted
    gain = together / (around(wanted * wanted) - mean_wanted * mean_wanted + 1e-3)
    gain = np.maximum(gain, 0.3 * max(float(np.median(gain)), 1.0))
    return ((seen - mean) / gain + mean_wanted).astype(np.float32)


def _read(evened: Ink, grid: Grid, state: _State) -> tuple[Ink, Ink]:
    """Compare each codeword with its alphabet: the modules as likely as they are, and those of the likeliest words."""
    rest = evened - _rendered(state.ink, state.blur)
    # One row's light, and what of it falls on its neighbours.
    profile = np.convolve(np.repeat([0, 0, 1, 0, 0], _DOWN), bell(state.blur[1] * _DOWN), "same")[_DOWN:-_DOWN]
    bands = np.lib.stride_tricks.sliding_window_view(rest, 3 * _DOWN, axis=0)[::_DOWN]
    own = (bands @ (profile / (profile @ profile)).astype(np.float32)).astype(np.float32)
    words = words_of(own, grid.columns, _ACROSS, _MARGIN)
    patterns = blurred_patterns(state.blur[0], _ACROSS, _MARGIN)
    likely, certain = state.ink.copy(), state.ink.copy()
    inner = slice(WORD, -WORD - 1)
    for alphabet in range(ALPHABETS):
        turn = slice(alphabet, None, ALPHABETS)
        now = state.ink[turn, inner].reshape(-1, WORD)
        # What the word's own present estimate adds is not the neighbours' doing.
        alone = np.pad(now, ((0, 0), (_MARGIN, _MARGIN))).repeat(_ACROSS, axis=1)
        added: Any = cv.filter2D(alone, -1, bell(state.blur[0] * _ACROSS)[None], borderType=cv2.BORDER_CONSTANT)
        seen = words[turn].reshape(len(now), -1) + added
        far = ((patterns[alphabet] ** 2).sum(axis=1) - 2 * seen @ patterns[alphabet].T) + (seen**2).sum(axis=1)[:, None]
        nearest = far.min(axis=1, keepdims=True)
        noise = max(float(np.median(nearest)) / seen.shape[1], 1e-4)
        weight = np.exp((nearest - far) / (2 * noise * _ACROSS))
        soft = (weight @ PATTERNS[alphabet]) / weight.sum(axis=1, keepdims=True)
        rows = state.ink[turn].shape[0]
        likely[turn, inner] = soft.reshape(rows, -1)
        certain[turn, inner] = PATTERNS[alphabet][far.argmin(axis=1)].reshape(rows, -1)
    return likely, certain


def _changed(before: Ink, after: Ink) -> float:
    """The part of the codewords that are read otherwise than before."""
    inner = slice(WORD, -WORD - 1)
    return float((before != after)[:, inner].reshape(-1, WORD).any(axis=1).mean())


def _better_blur(seen: Ink, state: _State) -> tuple[float, float]:
    """Of the present blur and its neighbours the one that explains the picture best."""

    def unexplained(blur: tuple[float, float]) -> float:
        rendered = _rendered(state.ink, blur)
        off = (_evened(seen, rendered, _WINDOW) - rendered)[_DOWN:-_DOWN]
        return float((off * off).mean() / rendered.var())

    choices = [
        (float(np.clip(state.blur[0] * across, *_BLURS[0])), float(np.clip(state.blur[1] * down, *_BLURS[1])))
        for across, down in _STEPS
    ]
    return min(choices, key=unexplained)


def _off_by(rest: Ink, rendered: Ink, grid: Grid) -> Field:
    """By how much what is seen lies off what was rendered, as a bend: least squares over the slopes of the picture.

    Sums are taken word by word first: within one the bend hardly changes.
    """
    right: Any = cv.Sobel(rendered, cv.CV_32F, 1, 0, ksize=3, scale=_ACROSS / 8)
    below: Any = cv.Sobel(rendered, cv.CV_32F, 0, 1, ksize=3, scale=_DOWN / 8)
    columns = grid.columns + 4
    size = (columns, grid.rows)

    def summed(picture: Ink) -> Field:
        inner = picture[_DOWN:-_DOWN, _MARGIN * _ACROSS : -_MARGIN * _ACROSS]
        return cast("Field", cv.resize(inner, size, interpolation=cv.INTER_AREA).astype(np.float64).ravel())

    across: Any = (np.arange(columns) + 0.5) * (grid.modules / columns)
    down: Any = np.arange(grid.rows) + 0.5
    terms = _terms(across, down, grid).reshape(10, -1)
    both, cross = summed(right * right), summed(right * below)
    sides = [[(terms * both) @ terms.T, (terms * cross) @ terms.T],
             [(terms * cross) @ terms.T, (terms * summed(below * below)) @ terms.T]]  # fmt: skip
    matrix = np.block(sides)
    matrix += np.eye(20) * 1e-3 * np.trace(matrix) / 20
    wanted: Field = np.concatenate([terms @ summed(right * rest), terms @ summed(below * rest)])
    return cast("Field", num.linalg.solve(matrix, wanted).reshape(2, 10))


def _drawn(ink: Ink) -> Grey:
    large = np.repeat(np.repeat(ink, _DRAWN_ROW, axis=0), _DRAWN_MODULE, axis=1)
    return np.pad(np.where(large > 0.5, 0, 255).astype(np.uint8), _DRAWN_QUIET, constant_values=255)
