"""A phone's photo of a sheet: table, perspective, bent paper, light and shadow, focus, noise, JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image

LEVELS = ("clean", "light", "medium", "heavy", "unreadable")


@dataclass(frozen=True)
class Conditions:
    """Bounds from which a photo's conditions are drawn. Lengths are parts of the picture's width."""

    side: tuple[int, int]  # longest side of the file in pixels
    blur: tuple[float, float]
    noise: float
    quality: tuple[int, int]
    skew: float
    bend: float
    shadow: float
    turned: float  # probability of a quarter turn
    paper: tuple[float, float] = (0.8, 0.95)  # part of the picture's height or width that is paper


_BY_LEVEL = {
    "light": Conditions((1600, 1600), (0.3, 0.6), 3, (75, 90), 0.02, 0.002, 0.15, 0.0),
    "medium": Conditions((1400, 1600), (0.6, 1.0), 6, (50, 70), 0.04, 0.006, 0.35, 0.25),
    "heavy": Conditions((1100, 1300), (0.8, 1.3), 10, (30, 45), 0.07, 0.008, 0.5, 0.3),
    "unreadable": Conditions((450, 680), (1.9, 2.6), 14, (20, 30), 0.07, 0.01, 0.5, 0.3),
    "original": Conditions((4000, 4000), (0.8, 1.6), 5, (85, 95), 0.03, 0.003, 0.2, 0.1),
}


def photographed(page: Image.Image, level: str, rng: np.random.Generator) -> tuple[bytes, dict[str, Any]]:
    """The photo as JPEG bytes, and its conditions.

    ``clean`` is the page itself, ``original`` a phone's 12 megapixels.
    """
    if level == "clean":
        small = page.copy()
        small.thumbnail((1600, 1600))
        return _jpeg(np.asarray(small), 92), {"scale": small.width / page.width}
    conditions = _BY_LEVEL[level]
    side = int(rng.integers(conditions.side[0], conditions.side[1] + 1))
    landscape = rng.random() < 0.2
    shape = (round(side * 0.75), side) if landscape else (side, round(side * rng.choice([0.5625, 0.75])))
    scene, scale = _scene(page, shape, conditions, rng)
    scene = _lit(scene, conditions, rng)
    sigma = float(rng.uniform(*conditions.blur))
    scene = cv2.GaussianBlur(scene, (0, 0), sigma)
    scene = np.clip(scene + rng.normal(0, conditions.noise, scene.shape), 0, 255)
    turns = int(rng.integers(1, 4)) if rng.random() < conditions.turned else 0
    picture = np.ascontiguousarray(np.rot90(scene.astype(np.uint8), turns))
    return _jpeg(picture, int(rng.integers(conditions.quality[0], conditions.quality[1] + 1))), {
        "scale": scale, "blur": sigma, "turns": turns,
    }  # fmt: skip


def close_up(page: Image.Image, box: tuple[float, float, float, float], rng: np.random.Generator) -> bytes:
    """A photo of one part of the page alone, for example of its timbre, filling most of 1600 x 1200 pixels."""
    left, top, right, bottom = box
    room = (right - left) * 0.12
    part = page.crop((int(left - room), int(top - room), int(right + room), int(bottom + room)))
    conditions = Conditions((1600, 1600), (0.6, 1.2), 6, (60, 85), 0.03, 0.004, 0.3, 0.0, (0.9, 0.98))
    scene, _ = _scene(part, (1200, 1600), conditions, rng)
    scene = cv2.GaussianBlur(_lit(scene, conditions, rng), (0, 0), float(rng.uniform(*conditions.blur)))
    scene = np.clip(scene + rng.normal(0, conditions.noise, scene.shape), 0, 255)
    return _jpeg(scene.astype(np.uint8), int(rng.integers(60, 85)))


def no_invoice(rng: np.random.Generator, at: int) -> bytes:
    """A photo of something else: coloured shapes, stripes, or a wall with some words."""
    from PIL import ImageDraw

    from tests.documents.paper import typeface

    image = Image.fromarray((rng.normal(120, 25, (1200, 900, 3))).clip(0, 255).astype(np.uint8))
    canvas = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(3, 12))):
        x, y, r = (int(value) for value in rng.integers(0, 900, 3))
        canvas.ellipse((x, y, x + r // 2 + 20, y + r // 3 + 20), fill=tuple(int(c) for c in rng.integers(0, 255, 3)))
    words = (
        ("OFERTA", "50% DCTO", "hasta el 30/06/2026"),
        ("Menú del día", "Cazuela 5.990", "Jugo 1.500"),
        (),
        ("Hola, mi zapatilla", "se despegó"),
    )[at % 4]
    for line, word in enumerate(words):
        canvas.text((120, 200 + line * 150), word, fill="white", font=typeface("bold", 80))
    if at % 4 == 2:  # stripes as dense as a barcode
        for x in range(100, 800, 7):
            canvas.line((x, 300, x, 800), fill="black", width=int(rng.integers(1, 5)))
    return _jpeg(np.asarray(image), 80)


def _scene(
    page: Image.Image, shape: tuple[int, int], conditions: Conditions, rng: np.random.Generator
) -> tuple[Any, float]:
    """The page laid on a table: perspective and bend in one resampling."""
    high, wide = shape
    paper = np.asarray(page).astype(np.float32)
    part = float(rng.uniform(*conditions.paper))
    scale = min(wide * part / page.width, high * part / page.height)
    if scale < 0.6:  # as a lens does: no aliasing
        paper = cv2.resize(paper, None, fx=scale * 1.5, fy=scale * 1.5, interpolation=cv2.INTER_AREA)
    ph, pw = paper.shape[:2]
    w, h = page.width * scale, page.height * scale
    x, y = (wide - w) * rng.uniform(0.3, 0.7), (high - h) * rng.uniform(0.3, 0.7)
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)
    corners += rng.uniform(-conditions.skew, conditions.skew, (4, 2)).astype(np.float32) * min(w, h)
    homography = cv2.getPerspectiveTransform(np.array([[0, 0], [pw, 0], [pw, ph], [0, ph]], np.float32), corners)
    inverse = np.linalg.inv(homography)
    gx, gy = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(high, dtype=np.float32))
    wave = conditions.bend * wide
    gy2 = gy + wave * np.sin(gx / wide * 2 * np.pi * rng.uniform(0.5, 1.2) + rng.uniform(0, 6))
    den = inverse[2, 0] * gx + inverse[2, 1] * gy2 + inverse[2, 2]
    mx = (inverse[0, 0] * gx + inverse[0, 1] * gy2 + inverse[0, 2]) / den
    my = (inverse[1, 0] * gx + inverse[1, 1] * gy2 + inverse[1, 2]) / den
    shade = rng.uniform(40, 170, 3).astype(np.float32)
    table = np.clip(shade + rng.normal(0, 9, (high, wide, 1)), 0, 255).astype(np.float32) + np.zeros(
        (1, 1, 3), np.float32
    )
    drawn = cv2.remap(
        paper, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    inside = ((mx >= 0) & (mx < pw - 1) & (my >= 0) & (my < ph - 1)).astype(np.float32)[..., None]
    tint = np.array([1.0, rng.uniform(0.96, 1.0), rng.uniform(0.86, 1.0)], np.float32) * rng.uniform(0.86, 0.98)
    return table * (1 - inside) + drawn * tint * inside, scale


def _lit(scene: Any, conditions: Conditions, rng: np.random.Generator) -> Any:
    high, wide = scene.shape[:2]
    gx, gy = np.meshgrid(np.linspace(-1, 1, wide, dtype=np.float32), np.linspace(-1, 1, high, dtype=np.float32))
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - conditions.shadow * 0.4 * (1 + gx * np.cos(angle) + gy * np.sin(angle)) / 2
    if rng.random() < conditions.shadow:  # somebody's hand
        edge = gx * np.cos(angle + 1) + gy * np.sin(angle + 1) - rng.uniform(-0.5, 0.5)
        light = light * (1 - conditions.shadow * 0.7 / (1 + np.exp(-edge * 14)))
    return scene * light[..., None]


def _jpeg(pixels: Any, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
