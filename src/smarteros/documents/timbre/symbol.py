"""What a PDF417 looks like, as numbers: the bars of every codeword, and how a page of them blurs.

Source: ISO/IEC 15438. A codeword is four bars and four spaces, 17 modules together; three alphabets of 929 patterns
take turns from row to row. Every row begins and ends with the same bars.
"""

from __future__ import annotations

import math
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pdf417gen.codes import CODES

Ink = NDArray[np.float32]  # 0 is paper, 1 is black

cv: Any = cv2  # its stubs know arrays of unknown kind only
ALPHABETS = 3
WORD = 17  # modules
MOST_WORDS = 928  # of a symbol


def _bits(pattern: int, length: int) -> list[float]:
    return [float(pattern >> (length - 1 - at) & 1) for at in range(length)]


START: Ink = np.array(_bits(0b11111111010101000, 17), np.float32)
STOP: Ink = np.array(_bits(0b111111101000101001, 18), np.float32)
PATTERNS: Ink = np.array(
    [[_bits(code, WORD) for code in alphabet] for alphabet in CODES], np.float32
)  # alphabets x 929 x 17


def modules_wide(columns: int) -> int:
    """Modules in a row: the data's columns, a row indicator on each side, start and stop."""
    return WORD * (columns + 4) + 1


def expected(columns: int, rows: int) -> Ink:
    """How black each module is on average (rows x modules), before anything was read."""
    usual = PATTERNS.mean(axis=1)
    words = [np.tile(usual[row % ALPHABETS], columns + 2) for row in range(rows)]
    return np.stack([np.concatenate([START, word, STOP]) for word in words]).astype(np.float32)


def bell(spread: float) -> Ink:
    """A Gaussian of ``spread`` samples that sums up to one."""
    reach = max(math.ceil(3 * spread), 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(spread, 1e-3)) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def blurred(ink: Ink, across: float, down: float) -> Ink:
    """Blur a picture by Gaussians of so many samples."""
    return cast("Ink", cv.sepFilter2D(ink, -1, bell(across), bell(down), borderType=cv2.BORDER_REPLICATE))


def blurred_patterns(spread: float, samples: int, margin: int) -> Ink:
    """All patterns (alphabets x 929 x n) with ``samples`` a module and ``margin`` modules of blur on both sides."""
    alone = np.pad(PATTERNS, ((0, 0), (0, 0), (margin, margin)))
    fine = np.repeat(alone, samples, axis=2).reshape(-1, (WORD + 2 * margin) * samples)
    soft: Any = cv.filter2D(fine, -1, bell(spread * samples)[None], borderType=cv2.BORDER_CONSTANT)
    return cast("Ink", soft.reshape(*PATTERNS.shape[:2], -1))
