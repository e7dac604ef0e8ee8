"""Books in memory: for tests, and for playing turns again without writing anything."""

from __future__ import annotations

import threading

from smarteros.agents.llm.protocol import LlmCall, Reservation
from smarteros.domain.llm import Spend, SpendLimit
from smarteros.domain.tenants import TenantScope


class MemoryLlmLedger:
    """LlmLedger that forgets everything when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, int, int], dict[str, LlmCall]] = {}
        self._spend: dict[tuple[str, str], Spend] = {}

    def calls(self, scope: TenantScope, conversation_id: int, message_id: int) -> tuple[LlmCall, ...]:
        """Return the calls that were made for one message."""
        with self._lock:
            return tuple(self._calls.get((scope.tenant_id, conversation_id, message_id), {}).values())

    def reserve(self, scope: TenantScope, reservation: Reservation, limit: SpendLimit) -> bool:
        """Set the amount aside if it fits; see ``LlmLedger.reserve``."""
        with self._lock:
            known = self._of(scope, reservation.month)
            micro_usd, tokens = known.micro_usd + reservation.micro_usd, known.tokens + reservation.tokens
            if limit.micro_usd is not None and micro_usd > limit.micro_usd:
                return False
            if limit.tokens is not None and tokens > limit.tokens:
                return False
            self._spend[scope.tenant_id, reservation.month] = known.model_copy(
                update={"micro_usd": micro_usd, "tokens": tokens}
            )
            return True

    def settle(self, scope: TenantScope, reservation: Reservation, call: LlmCall) -> None:
        """Replace a reservation by what the call cost; see ``LlmLedger.settle``."""
        with self._lock:
            known = self._of(scope, reservation.month)
            spent = call.input_tokens + call.output_tokens
            self._spend[scope.tenant_id, reservation.month] = known.model_copy(
                update={
                    "micro_usd": known.micro_usd - reservation.micro_usd + call.micro_usd,
                    "tokens": known.tokens - reservation.tokens + spent,
                    "calls": known.calls + 1,
                }
            )
        self.keep(scope, call)

    def keep(self, scope: TenantScope, call: LlmCall) -> None:
        """Keep a call; see ``LlmLedger.keep``."""
        with self._lock:
            kept = self._calls.setdefault((scope.tenant_id, call.conversation_id, call.message_id), {})
            if call.request_hash not in kept or kept[call.request_hash].output is None:
                kept[call.request_hash] = call

    def spent(self, scope: TenantScope, month: str) -> Spend:
        """Return what a month has cost so far."""
        with self._lock:
            return self._of(scope, month)

    def _of(self, scope: TenantScope, month: str) -> Spend:
        return self._spend.get((scope.tenant_id, month), Spend(month=month))
