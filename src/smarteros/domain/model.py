"""The base of every domain type."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Immutable, and a key it does not know is an error: data that crosses a boundary is checked there."""

    model_config = ConfigDict(frozen=True, extra="forbid")
