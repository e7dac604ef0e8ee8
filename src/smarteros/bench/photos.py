"""How long a phone's photo of a receipt takes, from its bytes to its fields, on pictures painted here."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from smarteros.bench.processes import cpu_seconds
from smarteros.bench.report import PhotoReading
from smarteros.documents.local import DocumentWorker, LocalOcrEngine
from smarteros.documents.reader import DocumentReader
from smarteros.domain.tenants import Tenant

WIDTH, HEIGHT = 3000, 4000  # 12 megapixels, as phones take them
_PAPER, _INK = 244, 40
_LEFT, _TOP, _STEP = 460, 420, 118
_SEED = 20
# Loading the models may take longer than a page on a machine with other work.
_JOB_SECONDS = 60.0


@dataclass(frozen=True)
class Photo:
    """A photo, and what is printed on it."""

    jpeg: bytes
    number: str
    total: int


def take_photo(at: int) -> Photo:
    """Paint a receipt and photograph it: a little askew, unevenly lit, out of focus, noisy, as JPEG.

    The same number gives the same picture. Its letters have no accents: the only font every machine has lacks them.
    """
    random = np.random.default_rng([_SEED, at])
    number, total = str(random.integers(10_000, 99_999)), int(random.integers(8, 90)) * 1000 - 10
    page = Image.new("L", (WIDTH, HEIGHT), 120)
    canvas = ImageDraw.Draw(page)
    canvas.rectangle((320, 260, WIDTH - 320, HEIGHT - 260), fill=_PAPER)
    for line, text in enumerate(_lines(number, total, at)):
        canvas.text((_LEFT, _TOP + line * _STEP), text, fill=_INK, font=ImageFont.load_default(size=76))
    turned = page.rotate(float(random.uniform(-3, 3)), resample=Image.Resampling.BICUBIC, fillcolor=120)
    return Photo(jpeg=_photographed(turned, random), number=number, total=total)


def read_photos(count: int) -> PhotoReading:
    """Read ``count`` photos with the local engine, its models loaded before; seconds of wall and of CPU."""
    worker = DocumentWorker(job_seconds=_JOB_SECONDS)
    engine = LocalOcrEngine(worker)
    reader = DocumentReader(lambda _tenant: engine, worker)
    tenant = Tenant(
        tenant_id="TENANT_PHOTOS",
        name="Fotos SpA",
        rut="76543210-3",
        tenant_key="k" * 24,
        chatwoot_url="http://127.0.0.1",
        chatwoot_account_ids=(1,),
    )
    wall: list[float] = []
    cpu: list[float] = []
    understood = 0
    try:
        engine.warm_up()
        pids = [pid for pid in (worker.pid,) if pid is not None]
        for at in range(count):
            photo = take_photo(at)
            began, own, used = time.perf_counter(), time.thread_time(), cpu_seconds(pids)
            found = reader.read(tenant, photo.jpeg)
            wall.append(time.perf_counter() - began)
            cpu.append(time.thread_time() - own + cpu_seconds(pids) - used)
            fields = found.fields
            understood += (fields.get("invoice_number"), fields.get("total")) == (photo.number, photo.total)
    finally:
        reader.close()
    return PhotoReading(
        photos=count,
        understood=understood,
        wall_p50_ms=_percentile_ms(wall, 50),
        wall_p95_ms=_percentile_ms(wall, 95),
        cpu_p50_ms=_percentile_ms(cpu, 50),
        cpu_p95_ms=_percentile_ms(cpu, 95),
    )


def _lines(number: str, total: int, at: int) -> tuple[str, ...]:
    """A boleta as shops print it, with some products to read."""
    products = ("Polera Maule", "Zapatilla Running Azul", "Calcetines Trekking", "Gorro Lana", "Cinturon Cuero")
    return (
        "COMERCIAL MEDIDA SPA",
        "RUT: 76.543.210-3",
        "Av. Providencia 1234, Santiago",
        "",
        "BOLETA ELECTRONICA",
        f"Numero: {number}",
        f"Fecha: {1 + at % 28:02}/10/2025  18:42",
        "Caja 3   Vendedor 14",
        "",
        f"Producto: {products[at % len(products)]}",
        "Talla: 42",
        "Cantidad: 1",
        f"Neto: ${_thousands(round(total / 1.19))}",
        f"IVA 19%: ${_thousands(total - round(total / 1.19))}",
        f"Total: ${_thousands(total)}",
        "",
        "Forma de pago: tarjeta de debito",
        "Garantia: 90 dias",
        "Cambios con boleta hasta 30 dias",
        "Conserve este documento",
        "Gracias por su compra",
    )


def _photographed(page: Image.Image, random: np.random.Generator) -> bytes:
    soft = np.asarray(page.filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)
    # Light from one side, and the sensor's noise; both in colour values of 0 to 255.
    light: NDArray[np.float32] = np.linspace(1.0, float(random.uniform(0.7, 0.9)), WIDTH, dtype=np.float32)
    noise = random.standard_normal(soft.shape, dtype=np.float32) * 6
    grey = np.clip(soft * light + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _thousands(pesos: int) -> str:
    return f"{pesos:,}".replace(",", ".")


def _percentile_ms(seconds: list[float], percent: int) -> float:
    return round(1000 * float(np.percentile(seconds, percent)), 1) if seconds else 0.0
