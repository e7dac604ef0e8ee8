"""What a category is called in the exports of shops: "Despachos", "faq_delivery", "Cambios y devoluciones"."""

from __future__ import annotations

import re
from typing import get_args

from smarteros.domain.knowledge import Category
from smarteros.kit.text import fold

# The originals' finer intents (faq_schedule, faq_location, ...) map onto these as well. Beginnings of words, the more
# telling matter first: "horario de despacho" is about the despacho, "garantía y devoluciones" about the guarantee.
_BEGINNINGS: tuple[tuple[Category, tuple[str, ...]], ...] = (
    ("garantia", ("garanti", "warrant", "guarantee")),
    ("devoluciones", ("devoluc", "cambio", "reembols", "retract", "return", "refund", "exchange")),
    ("envios", ("envio", "despach", "shipping", "deliver", "entrega", "retiro", "pickup", "seguimiento", "tracking")),
    ("pago", ("pago", "pagar", "medios de pago", "payment", "cuota", "factura", "billing", "checkout")),
    ("ubicacion", ("ubicac", "direcc", "address", "locat", "como llegar", "sucursal", "local", "tienda fisica")),
    ("contacto", ("contact", "telefono", "phone", "correo", "email", "e-mail", "redes")),
    ("horarios", ("horario", "hour", "schedule", "opening", "atencion")),
    ("otros", ("otro", "other", "general", "vario", "misc")),
)
_LONGEST_NAME_WORDS = 5


def category_named(name: str) -> Category | None:
    """Return the category a word or short heading names, None when it names none."""
    words = re.sub(r"[^a-z0-9-]+", " ", fold(name).removeprefix("faq_")).strip()
    if words in get_args(Category):
        return words  # pyright: ignore[reportReturnType]
    if not words or "?" in name or len(words.split()) > _LONGEST_NAME_WORDS:
        return None
    for category, beginnings in _BEGINNINGS:
        if any(re.search(rf"\b{re.escape(beginning)}", words) for beginning in beginnings):
            return category
    return None
