"""The sheet of paper in a photo, cut out and made rectangular: the detector then spends its pixels on the invoice.

The paper is what is lighter and less coloured than the rest, in one piece with four corners. Where that is not clear
the whole photo is read: a wrong cut loses text, no cut only pixels.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

cv: Any = cv2  # its stubs know arrays of unknown kind only
Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_LOOK_SIDE = 400  # pixels
_SMALLEST, _LARGEST = 0.12, 0.90  # of the photo's area; from the largest on there is nothing to cut away
_FOUR_SIDED = 0.93  # of the four-sided figure that the paper must fill
_SPREAD = 1.015  # the cut is a little larger than the paper found
_CONTRAST = 25.0  # of 255, between the paper and what is around it


def cut_out(pixels: Pixels) -> tuple[Pixels, Matrix] | None:
    """The paper as a rectangle, and the homography from it to the photo; None when no paper is clearly seen."""
    corners = find_paper(pixels)
    if corners is None:
        return None
    upper, right, lower, left = (float(np.linalg.norm(corners[at] - corners[(at + 1) % 4])) for at in range(4))
    width, height = round(max(upper, lower)), round(max(left, right))
    if min(width, height) < 64:
        return None
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    back: Any = cv.getPerspectiveTransform(frame, corners.astype(np.float32))
    how = cv.INTER_LINEAR | cv.WARP_INVERSE_MAP
    flat = cv.warpPerspective(pixels, back, (width, height), flags=how, borderMode=cv.BORDER_REPLICATE)
    return cast("Pixels", flat), cast("Matrix", back)


def find_paper(pixels: Pixels) -> NDArray[np.float32] | None:
    """The paper's corners in the photo, clockwise from its upper left."""
    scale = _LOOK_SIDE / max(pixels.shape[:2])
    if scale >= 1.0:
        return None
    size = (max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1))
    small: Any = cv.resize(pixels, size, interpolation=cv.INTER_AREA)
    # Letters and shadows' edges go, the paper stays.
    channels = cv.medianBlur(small, 7).astype(np.int16)
    light: Any = channels.min(axis=2) * 2 - channels.max(axis=2)
    light = cv.morphologyEx(light.clip(0, 255).astype(np.uint8), cv.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    _, mask = cv.threshold(light, 0, 255, cv.THRESH_BINARY | cv.THRESH_OTSU)
    mask = cv.morphologyEx(mask, cv.MORPH_OPEN, np.ones((9, 9), np.uint8))
    contours, _ = cv.findContours(mask, cv.RETR_EXTERNAL, cv.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    paper: Any = max(contours, key=cv.contourArea)
    corners = _four_corners(paper)
    if corners is None or not _stands_out(light, mask, paper):
        return None
    share = abs(cv.contourArea(corners)) / mask.size
    if not _SMALLEST <= share <= _LARGEST:
        return None
    centre = corners.mean(axis=0)
    spread = (corners - centre) * _SPREAD + centre
    limits = np.array([size[0] - 1, size[1] - 1], np.float32)
    return cast("NDArray[np.float32]", np.clip(spread, 0, limits) / scale)


def _four_corners(paper: Any) -> NDArray[np.float32] | None:
    hull: Any = cv.convexHull(paper)
    around = cv.arcLength(hull, True)
    for precision in (0.02, 0.035, 0.05, 0.07):
        figure: Any = cv.approxPolyDP(hull, precision * around, True)
        if len(figure) == 4:
            corners = figure.reshape(4, 2).astype(np.float32)
            area = cv.contourArea(corners)
            if area > 0 and cv.contourArea(paper) / area >= _FOUR_SIDED and _square_enough(corners):
                return _clockwise(corners)
    return None


def _square_enough(corners: NDArray[np.float32]) -> bool:
    """All four angles between 60 and 120 degrees: a sheet seen by a person who wants it read."""
    for at in range(4):
        one, other = corners[at - 1] - corners[at], corners[(at + 1) % 4] - corners[at]
        cosine = float(one @ other) / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6)
        if abs(cosine) > 0.5:
            return False
    return True


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the corner nearest to the picture's upper left."""
    centre = corners.mean(axis=0)
    order = np.argsort(np.arctan2(corners[:, 1] - centre[1], corners[:, 0] - centre[0]))
    turned = corners[order]
    return np.roll(turned, -int(turned.sum(axis=1).argmin()), axis=0)


def _stands_out(light: Any, mask: Any, paper: Any) -> bool:
    inside = np.zeros_like(mask)
    cv.drawContours(inside, [paper], -1, 255, -1)
    if (inside == 0).mean() < 0.05:
        return False
    return bool(np.median(light[inside > 0]) - np.median(light[inside == 0]) >= _CONTRAST)
