"""Draws the timbre of the demo's doubtful boleta: ``uv run python sandbox/scripts/draw_altered_timbre.py``.

It has the form of a TED and names SII's key 100, but its signatures are arbitrary bytes: it verifies nowhere. The
picture is kept in the sandbox, which therefore needs no library to draw bar codes.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

TARGET = Path(__file__).parents[1] / "smarteros_sandbox" / "shops" / "data" / "altered-timbre.png"
PIXELS_PER_MODULE = 2


def arbitrary(name: str, size: int) -> str:
    """Base64 of bytes that mean nothing and are the same every time."""
    return base64.b64encode(hashlib.shake_256(name.encode()).digest(size)).decode()


TED = (
    '<TED version="1.0"><DD><RE>76543210-3</RE><TD>39</TD><F>1</F><FE>2025-10-15</FE><RR>66666666-6</RR>'
    "<RSR>CONSUMIDOR FINAL</RSR><MNT>139990</MNT><IT1>Zapatilla Running Azul</IT1>"
    '<CAF version="1.0"><DA><RE>76543210-3</RE><RS>TIENDA DEMO CALZADOS</RS><TD>39</TD><RNG><D>1</D><H>500</H></RNG>'
    f"<FA>2025-01-02</FA><RSAPK><M>{arbitrary('modulus', 64)}</M><E>Aw==</E></RSAPK><IDK>100</IDK></DA>"
    f'<FRMA algoritmo="SHA1withRSA">{arbitrary("frma", 128)}</FRMA></CAF><TSTED>2025-10-15T12:00:00</TSTED></DD>'
    f'<FRMT algoritmo="SHA1withRSA">{arbitrary("frmt", 64)}</FRMT></TED>'
)


def main() -> None:
    """Write the picture: black modules on white, one bit a pixel."""
    zxing: Any = zxingcpp  # its stubs leave the options untyped
    barcode = zxing.create_barcode(TED.encode("iso-8859-1"), zxing.BarcodeFormat.PDF417)
    modules = Image.fromarray(zxing.write_barcode_to_image(barcode, scale=1))
    size = (modules.width * PIXELS_PER_MODULE, modules.height * PIXELS_PER_MODULE)
    modules.resize(size, Image.Resampling.NEAREST).convert("1").save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
