"""Passwords: argon2id by ``argon2-cffi``; few at a time, because each takes 64 MiB on purpose."""

from __future__ import annotations

import threading

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

from smarteros.domain.errors import RejectedInputError

SHORTEST, LONGEST = 12, 200
_AT_A_TIME = 2


class Passwords:
    """Hashes and checks passwords. ``hasher`` is the cost; by default that of RFC 9106 for little memory."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        self._hasher = hasher or argon2.PasswordHasher()
        self._places = threading.BoundedSemaphore(_AT_A_TIME)
        self._nobodys: str | None = None

    def hash(self, password: str) -> str:
        """Return what is kept of a new password. RejectedInputError when it is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise RejectedInputError("password_length", f"A password has {SHORTEST} to {LONGEST} characters.")
        with self._places:
            return self._hasher.hash(password)

    def fits(self, kept: str | None, password: str) -> bool:
        """Tell whether a password is the one kept; takes as long when there is none."""
        if len(password) > LONGEST:
            return False
        with self._places:
            # Made at the first question, whoever asks it: a process that only starts need not wait for it.
            self._nobodys = self._nobodys or self._hasher.hash("nobody has this password")
            try:
                self._hasher.verify(kept or self._nobodys, password)
            except (Argon2Error, InvalidHashError):
                return False
        return kept is not None

    def outdated(self, kept: str) -> bool:
        """Tell whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(kept)
