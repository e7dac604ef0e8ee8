"""Dates in words for customers, in Spanish and English."""

from __future__ import annotations

from datetime import date

_MONTHS = {
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
        "septiembre", "octubre", "noviembre", "diciembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August",
        "September", "October", "November", "December",
    ),
}  # fmt: skip


def date_in_words(day: date, language: str = "es") -> str:
    """Write a date as a person says it: ``13 de enero de 2026`` or ``January 13, 2026``."""
    if language.startswith("en"):
        return f"{_MONTHS['en'][day.month - 1]} {day.day}, {day.year}"
    return f"{day.day} de {_MONTHS['es'][day.month - 1]} de {day.year}"
