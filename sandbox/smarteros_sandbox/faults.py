"""Faults on demand: what a test or the demo's visitor can make a stand-in server do wrong.

A fault is named by the service that shall misbehave and by a kind that this service documents. Setting the
same (service, kind, scope) again replaces it. Nothing here sleeps or raises: the service decides what the
fault it took means.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Literal, get_args

Service = Literal["chatwoot", "shopify", "odoo", "vision", "botpress"]
FaultValue = float | str | None

SERVICES: tuple[str, ...] = get_args(Service)


@dataclass(frozen=True, slots=True)
class Fault:
    """One armed fault. ``times`` is what is left (None: until cleared); ``scope`` None means everywhere."""

    service: str
    kind: str
    scope: str | None = None
    times: int | None = None
    value: FaultValue = None

    def number(self, default: float) -> float:
        """The value as a number, for faults which take seconds or milliseconds."""
        if self.value is None:
            return default
        try:
            return float(self.value)
        except ValueError:
            return default

    def as_json(self) -> dict[str, str | float | int | None]:
        """The fault as the control API shows it."""
        return asdict(self)


class Faults:
    """The armed faults of all stand-ins, shared by every server and thread of the sandbox."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: dict[tuple[str, str, str | None], Fault] = {}

    def set(
        self,
        service: str,
        kind: str,
        *,
        scope: str | None = None,
        times: int | None = None,
        value: FaultValue = None,
    ) -> Fault:
        """Arm a fault; an equal (service, kind, scope) is replaced. ``times`` below 1 disarms it."""
        if service not in SERVICES:
            raise ValueError(f"unknown service {service!r}: one of {', '.join(SERVICES)}")
        fault = Fault(service=service, kind=kind, scope=scope, times=times, value=value)
        with self._lock:
            if times is not None and times < 1:
                self._armed.pop((service, kind, scope), None)
            else:
                self._armed[service, kind, scope] = fault
        return fault

    def take(self, service: str, kind: str, scope: str | None = None) -> Fault | None:
        """The fault armed for exactly this scope, else the one armed everywhere; uses up one of its times."""
        with self._lock:
            for key in ((service, kind, scope), (service, kind, None)):
                fault = self._armed.get(key)
                if fault is None:
                    continue
                if fault.times is not None:
                    left = fault.times - 1
                    if left > 0:
                        self._armed[key] = replace(fault, times=left)
                    else:
                        del self._armed[key]
                return fault
        return None

    def clear(self, service: str | None = None, kind: str | None = None, *, scope: str | None = None) -> None:
        """Disarm all faults, or those of one service, kind and scope (each optional)."""
        with self._lock:
            for key in list(self._armed):
                if service in (None, key[0]) and kind in (None, key[1]) and scope in (None, key[2]):
                    del self._armed[key]

    def list(self) -> list[Fault]:
        """What is armed now."""
        with self._lock:
            return list(self._armed.values())
