"""Draws Spanish text with Pillow's built-in font, whose glyphs end at ASCII: the accents are drawn by hand.

A system font would look the same, but no machine is certain to have one.
"""

from __future__ import annotations

import unicodedata

from PIL import ImageDraw, ImageFont

ACUTE, TILDE, DIAERESIS = "\u0301", "\u0303", "\u0308"
PAPER, INK = 255, 20

Box = tuple[int, int, int, int]


def draw_line(canvas: ImageDraw.ImageDraw, left: int, top: int, text: str, size: int) -> Box:
    """Write one line and return the box it covers: left, top, right, bottom."""
    font = ImageFont.load_default(size=size)
    letters = unicodedata.normalize("NFC", text)
    bare = "".join(unicodedata.normalize("NFD", letter)[0] for letter in letters)
    canvas.text((left, top), bare, font=font, fill=INK)
    for position, letter in enumerate(letters):
        mark = unicodedata.normalize("NFD", letter)[1:2]
        if mark:
            start = left + font.getlength(bare[:position])
            width = font.getlength(bare[position])
            _draw_mark(canvas, mark, bare[position], (start, top, width), size)
    box = canvas.textbbox((left, top), bare, font=font)
    return (int(box[0]), top, int(box[2]) + 1, int(box[3]) + 1)


def _draw_mark(
    canvas: ImageDraw.ImageDraw, mark: str, letter: str, cell: tuple[float, float, float], size: int
) -> None:
    start, top, width = cell
    font = ImageFont.load_default(size=size)
    body = "x" if letter == "i" else letter
    letter_top = top + font.getbbox(body)[1]
    if letter == "i":
        dot_top = top + font.getbbox("i")[1] - 1
        canvas.rectangle((start, dot_top, start + width, letter_top - 2), fill=PAPER)
    middle, unit = start + width / 2, size / 20
    base = letter_top - 2 * unit
    if mark == ACUTE:
        stroke = [(middle - 1.5 * unit, base), (middle + 2.5 * unit, base - 4 * unit)]
        canvas.line(stroke, fill=INK, width=max(2, round(2 * unit)))
    elif mark == TILDE:
        wave = [(-4, -0.5), (-2, -2.5), (0, -1.8), (2, -0.8), (4, -2.8)]
        points = [(middle + x * unit, base + y * unit) for x, y in wave]
        canvas.line(points, fill=INK, width=max(2, round(1.6 * unit)), joint="curve")
    elif mark == DIAERESIS:
        for offset in (-2.5 * unit, 2.5 * unit):
            x = middle + offset
            canvas.ellipse((x - unit, base - 3 * unit, x + unit, base - unit), fill=INK)
