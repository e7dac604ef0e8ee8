"""A picture with no document on it, for customers who photograph something else."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 480, 640


def landscape_png() -> bytes:
    """Return a PNG of a sky over a field: colours, and nothing to read."""
    rows = bytearray()
    for y in range(HEIGHT):
        sky = y < HEIGHT * 3 // 5
        shade = y * 120 // HEIGHT
        colour = bytes((90 + shade, 150 + shade // 2, 230)) if sky else bytes((60 + shade // 3, 140, 70))
        rows += b"\x00" + colour * WIDTH
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
