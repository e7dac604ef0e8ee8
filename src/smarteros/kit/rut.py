"""The Chilean tax number (RUT): validation and canonical form, by the checksum of python-stdnum."""

from __future__ import annotations

from stdnum.cl import rut as _rut
from stdnum.exceptions import ValidationError


def canonical_rut(text: str) -> str | None:
    """Return ``12345678-5`` for any usual spelling of a valid RUT, or None when the checksum fails."""
    try:
        compact = str(_rut.validate(text))
    except ValidationError:
        return None
    return f"{compact[:-1]}-{compact[-1]}"
