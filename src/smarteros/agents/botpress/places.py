"""Where each of our conversations goes on at the other side, as far as this process knows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 2_000


class Places(Generic[T]):
    """Remembers a place for each key; of too many the one used longest ago is forgotten.

    A place is taken while it is in use, so two questions of one conversation never wait for answers in the same one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[tuple[str, ...], T] = OrderedDict()

    def take(self, key: tuple[str, ...]) -> T | None:
        """Return the place and forget it until it is put back."""
        with self._lock:
            return self._places.pop(key, None)

    def put(self, key: tuple[str, ...], place: T) -> None:
        """Remember where the next question goes on."""
        with self._lock:
            self._places[key] = place
            self._places.move_to_end(key)
            if len(self._places) > _MOST:
                self._places.popitem(last=False)
