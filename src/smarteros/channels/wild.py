"""Reading JSON a stranger sent: every look says what it expects and refuses anything else in one sentence."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from smarteros.domain.errors import RejectedInputError
from smarteros.kit.text import strip_controls

_LARGEST_NUMBER = 2**63 - 1  # what a bigint column holds


@dataclass(frozen=True)
class Wild:
    """A JSON object that was not checked yet. ``path`` is where it stands in the body, for the error's sentence.

    A key that is absent and one that is null are the same thing: nothing was said.
    """

    fields: dict[str, object]
    path: str = "body"

    @classmethod
    def root(cls, body: object) -> Wild:
        """The whole body, which must be an object."""
        return cls(_object(body, "body"))

    def child(self, key: str) -> Wild:
        """The object under ``key``; an empty one when nothing was said."""
        path = f"{self.path}.{key}"
        value = self.fields.get(key)
        return Wild({} if value is None else _object(value, path), path)

    def children(self, key: str, *, most: int) -> tuple[Wild, ...]:
        """The objects of the list under ``key``, at most ``most`` of them."""
        path = f"{self.path}.{key}"
        value = self.fields.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise refuse(path, "a list")
        items = cast("list[object]", value)[:most]
        return tuple(Wild(_object(item, f"{path}[{at}]"), f"{path}[{at}]") for at, item in enumerate(items))

    def text(self, key: str, *, most: int = 2000) -> str | None:
        """The text under ``key`` without hidden characters, cut at ``most`` characters."""
        value = self.fields.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise refuse(f"{self.path}.{key}", "a text")
        # A lone surrogate is legal JSON but no database and no HTTP client can encode it.
        return strip_controls(value[:most]).encode("utf-8", "replace").decode()

    def number(self, key: str) -> int | None:
        """The whole number under ``key``, zero or more."""
        value = self.fields.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_NUMBER:
            raise refuse(f"{self.path}.{key}", "a whole number")
        return value

    def flag(self, key: str) -> bool:
        """Whether ``key`` is true."""
        value = self.fields.get(key)
        if value is not None and not isinstance(value, bool):
            raise refuse(f"{self.path}.{key}", "true or false")
        return value is True

    def instant(self, key: str) -> datetime | None:
        """The instant under ``key``, aware UTC: ISO 8601 with or without fractions, or Unix seconds."""
        value = self.fields.get(key)
        return None if value is None else instant_of(value, f"{self.path}.{key}")

    def derived_id(self) -> int:
        """A positive id of at most 12 digits; the same object gives the same id."""
        try:
            canonical = json.dumps(self.fields, sort_keys=True, separators=(",", ":"))
        except RecursionError as error:
            raise RejectedInputError("malformed_event", f"{self.path} is nested too deeply") from error
        return int(hashlib.sha256(canonical.encode()).hexdigest(), 16) % (10**12 - 1) + 1


def instant_of(value: object, path: str) -> datetime:
    """Tame one instant; a text without a zone is taken as UTC."""
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise refuse(path, "an instant (ISO 8601 or Unix seconds)") from error
    raise refuse(path, "an instant (ISO 8601 or Unix seconds)")


def refuse(path: str, expected: str) -> RejectedInputError:
    """The refusal of one field."""
    return RejectedInputError("malformed_event", f"{path} must be {expected}", status=422)


def _object(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise refuse(path, "an object")
    return cast("dict[str, object]", value)
