"""Text recognition with PP-OCRv6 (rapidocr's own models, offline). Lives in the worker process only.

Settings by measurement (synthetic Chilean invoices): detector side 1280 reads as well as 1600 at three quarters
of the cost; one thread, because two were slower. Pages photographed sideways or upside down are turned first:
lines in tall boxes are detected badly.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from smarteros.documents.crop import Matrix, cut_out
from smarteros.documents.protocol import OcrLine, OcrPage

DETECTOR_SIDE = 1280  # pixels
MIN_LINE_CONFIDENCE = 0.5
ORIENTATION_SAMPLE = 12  # lines asked which way is up
_EDGE_PIXELS, _TOUCHING_LINES, _TOUCHING_SHARE = 3, 3, 0.1
_FEW_LINES = 10  # on a paper cut out of the photo: what is around it is looked at too
_TALL = 1.5  # height / width from which a line's box stands upright
_MAX_TILT_DEGREES = 30.0

Pixels = NDArray[np.uint8]
Corners = NDArray[np.float32]  # lines x 4 corners x (x, y), clockwise from the line's upper left


class Recogniser:
    """The engine; its models are loaded with the first page (about 170 MB, 1.5 s of CPU)."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Det.limit_side_len": DETECTOR_SIDE,
                "Det.limit_type": "max",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def load_models(self) -> None:
        """Load all models now, by reading a page with one word."""
        page = Image.new("RGB", (320, 96), "white")
        ImageDraw.Draw(page).text((20, 20), "FACTURA", fill="black", font_size=48)
        self.read(page)

    def read(self, image: Image.Image, *, reduced_by: float = 1.0) -> OcrPage:
        """Read an RGB picture. Only arrays reach the engine: given a text it would fetch it as an address.

        ``reduced_by`` is how many pixels of the picture as it was sent make one of this one: for the way back.
        """
        pixels = np.ascontiguousarray(np.asarray(image, dtype=np.uint8)[:, :, ::-1])
        back = np.diag([reduced_by, reduced_by, 1.0])
        whole = pixels
        cut = cut_out(pixels)
        if cut is not None:
            pixels, back = cut[0], back @ cut[1]
        crops, corners = self._detect(pixels)
        if cut is not None and _cut_through(corners, pixels):
            pixels, back = whole, np.diag([reduced_by, reduced_by, 1.0])
            crops, corners = self._detect(pixels)
        elif cut is not None and corners is not None and len(corners) < _FEW_LINES:
            # A shadow across the paper looks like its edge.
            all_crops, all_corners = self._detect(whole)
            if all_corners is not None and len(all_corners) > len(corners):
                pixels, back = whole, np.diag([reduced_by, reduced_by, 1.0])
                crops, corners = all_crops, all_corners
        if corners is not None and _mostly_tall(corners):
            back = back @ _turned_back(pixels, 1)
            pixels = np.ascontiguousarray(np.rot90(pixels))
            crops, corners = self._detect(pixels)
        if corners is not None and self._upside_down(crops):
            # The same lines are there, so they are turned and not looked for again.
            back = back @ _turned_back(pixels, 2)
            crops = [np.ascontiguousarray(np.rot90(crop, 2)) for crop in reversed(crops)]
            corners = np.roll(np.array(pixels.shape[1::-1], np.float32) - corners[::-1], 2, axis=1)
        height, width = pixels.shape[:2]
        if corners is None:
            return OcrPage(lines=(), width=width, height=height, placed=_as_tuple(back))
        found = self._engine.recognize_txt(crops)
        boxes, tilted_back = _straight_boxes(corners, width, height)
        lines = [
            OcrLine(text=text.strip(), confidence=round(float(score), 4), box=box)
            for text, score, box in zip(found.txts, found.scores, boxes, strict=True)
            if text.strip() and score >= MIN_LINE_CONFIDENCE
        ]
        placed = _as_tuple(back @ tilted_back)
        unread = len(boxes) - len(lines)
        return OcrPage(lines=tuple(lines), width=width, height=height, unread=unread, placed=placed)

    def _detect(self, pixels: Pixels) -> tuple[list[Pixels], Corners | None]:
        detector_found_nothing = "The text detection result is empty"
        try:
            crops, found = self._engine.detect_and_crop(pixels, {"preprocess": {"ratio_h": 1.0, "ratio_w": 1.0}})
        except Exception as error:
            if detector_found_nothing in str(error):  # the engine's way to say so, with a private class
                return [], None
            raise
        return crops, np.asarray(found.boxes, dtype=np.float32)

    def _upside_down(self, crops: list[Pixels]) -> bool:
        """Ask the longest lines; a page turns only when most of them agree."""
        longest = sorted(crops, key=lambda crop: crop.shape[1] / max(crop.shape[0], 1), reverse=True)
        _, answer = self._engine.cls_and_rotate(longest[:ORIENTATION_SAMPLE])
        votes = [(1 if label == "180" else -1) * float(score) for label, score in answer.cls_res]
        return sum(votes) > 0


def _cut_through(corners: Corners | None, pixels: Pixels) -> bool:
    """Tell whether the paper was cut out wrongly: nothing is on it, or its edge goes through the lines."""
    if corners is None:
        return True
    height, width = pixels.shape[:2]
    beyond = (corners < _EDGE_PIXELS) | (corners > np.array([width, height]) - _EDGE_PIXELS)
    touching = int(beyond.any(axis=(1, 2)).sum())
    return touching >= _TOUCHING_LINES and touching > len(corners) * _TOUCHING_SHARE


def _mostly_tall(corners: Corners) -> bool:
    widths, heights = _sides(corners)
    long_enough = np.maximum(widths, heights) > 2 * np.minimum(widths, heights)
    tall = heights > widths * _TALL
    return bool(long_enough.any() and tall[long_enough].mean() > 0.5)


def _sides(corners: Corners) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    widths = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    heights = np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1)
    return cast("NDArray[np.float32]", widths), cast("NDArray[np.float32]", heights)


def _turned_back(pixels: Pixels, quarters: int) -> Matrix:
    """From a picture turned anticlockwise to the picture before."""
    height, width = pixels.shape[:2]
    if quarters == 1:
        return np.array([[0.0, -1.0, width - 1], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    return np.array([[-1.0, 0.0, width - 1], [0.0, -1.0, height - 1], [0.0, 0.0, 1.0]])


def _as_tuple(matrix: Matrix) -> tuple[float, ...] | None:
    if np.allclose(matrix, np.eye(3), atol=1e-6):
        return None
    return tuple(round(float(value), 9) for value in matrix.ravel())


def _straight_boxes(corners: Corners, width: int, height: int) -> tuple[list[tuple[int, int, int, int]], Matrix]:
    """Upright boxes after turning the page by its lines' median tilt, so that rows are rows; and the turn back."""
    widths, heights = _sides(corners)
    along = corners[:, 1] - corners[:, 0]
    angles = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    wide = (widths > 2 * heights) & (np.abs(angles) < _MAX_TILT_DEGREES)
    tilt = float(np.radians(np.median(angles[wide]))) if wide.any() else 0.0
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]], dtype=np.float32)
    centre = np.array([width / 2, height / 2], dtype=np.float32)
    turned = (corners - centre) @ turn + centre
    middles = turned.mean(axis=1)
    # A tilted line's own extent is taken along the line: its enclosing box would overlap its neighbours.
    half = np.stack([widths, np.minimum(heights, widths * 4)], axis=1) / 2
    boxes = np.concatenate([middles - half, middles + half], axis=1).round().astype(int)
    # ``turned = (corners - centre) @ turn + centre``, undone.
    undo = np.eye(3)
    undo[:2, :2] = turn
    undo[:2, 2] = centre - turn @ centre
    return [(int(b[0]), int(b[1]), int(b[2]), int(b[3])) for b in boxes], undo
