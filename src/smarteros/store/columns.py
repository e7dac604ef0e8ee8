"""What the modules that describe tables share."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = TIMESTAMP(timezone=True)


def own_metadata() -> sa.MetaData:
    """Return the metadata of one module: the first migration creates everything it finds in that of ``tables``."""
    return sa.MetaData(schema="smos")
