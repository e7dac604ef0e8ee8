"""Circuit breaker: a system that failed again and again is left alone for a while and answered for at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from smarteros.tools.deadline import Monotonic

FAILURES_TO_OPEN = 5
OPEN_FOR_S = 30.0


@dataclass
class _Circuit:
    """State of one circuit; ``refuse_until`` is the instant until which calls are refused."""

    failures: int = 0
    refuse_until: float | None = None


@dataclass
class CircuitBreaker:
    """One circuit per key (tenant and service): a tenant's dead shop never affects another tenant."""

    failures_to_open: int = FAILURES_TO_OPEN
    open_for_s: float = OPEN_FOR_S
    monotonic: Monotonic = time.monotonic
    _circuits: dict[tuple[str, str], _Circuit] = field(default_factory=dict[tuple[str, str], _Circuit])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, key: tuple[str, str]) -> bool:
        """Tell whether a call may be made now. After the pause exactly one caller is let through to try."""
        with self._lock:
            circuit = self._circuits.get(key)
            if circuit is None or circuit.refuse_until is None:
                return True
            now = self.monotonic()
            if now < circuit.refuse_until:
                return False
            circuit.refuse_until = now + self.open_for_s
            return True

    def succeeded(self, key: tuple[str, str]) -> None:
        """Note that the system answered."""
        with self._lock:
            self._circuits.pop(key, None)

    def failed(self, key: tuple[str, str]) -> None:
        """Note that the system did not answer; the last of too many failures in a row opens the circuit."""
        with self._lock:
            circuit = self._circuits.setdefault(key, _Circuit())
            circuit.failures += 1
            if circuit.failures >= self.failures_to_open:
                circuit.refuse_until = self.monotonic() + self.open_for_s
