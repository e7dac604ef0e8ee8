"""Whether an audit chain is whole: nothing changed, removed, reordered or cut off, and where if not."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from smarteros.domain.audit import chain_hash
from smarteros.domain.model import Model

FindingKind = Literal["changed", "removed", "moved", "rewritten", "cut", "returned", "unsealed", "seal_broken"]
# A worker seals every minute; what is older than this and not sealed was never seen by one, or its seal was taken away.
SEALED_WITHIN = timedelta(minutes=10)
MOST_FINDINGS = 20


class ChainRow(Model):
    """One stored event with its place in the chain. ``event`` is an AuditEvent's JSON, if nobody has changed it."""

    tenant_id: str
    position: int
    event_id: str
    conversation_id: int | None
    event: Any
    previous_hash: str
    hash: str
    recorded_at: datetime

    def fits_itself(self, no_tenant: str) -> bool:
        """Tell whether the row's columns and its hash are those of its event."""
        body = cast("object", self.event)
        if not isinstance(body, dict):
            return False
        event = cast("dict[str, Any]", body)
        columns = (self.event_id, self.conversation_id, None if self.tenant_id == no_tenant else self.tenant_id)
        told = tuple(event.get(name) for name in ("event_id", "conversation_id", "tenant_id"))
        return columns == told and self.hash == chain_hash(self.previous_hash, event)


class ChainEnds(Model):
    """Where a chain begins (behind its pruned events) and ends, and what of it was sealed."""

    tenant_id: str
    start_position: int
    start_hash: str
    position: int
    hash: str
    sealed_position: int
    sealed_hash: str
    seal: str | None


class ChainHead(Model):
    """A position of a chain that somebody has seen, with its hash."""

    position: int
    hash: str


class ChainFinding(Model):
    """What is wrong, and the first position it concerns."""

    kind: FindingKind
    position: int
    said: str


class ChainReport(Model):
    """A chain as it was found: ``events`` from ``start_position`` + 1 to ``position``; well without findings."""

    tenant_id: str
    start_position: int
    position: int
    hash: str
    sealed_position: int
    events: int
    findings: tuple[ChainFinding, ...]


class AuditSeal:
    """Signs where a chain begins and ends: who can write the database, and has no key, cannot make one up."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        """``keys``: the newest first; that one signs, all of them verify. There must be one."""
        self._keys = {hashlib.sha256(f"audit-seal-id:{key}".encode()).hexdigest()[:12]: key for key in keys}
        self.key_id = next(iter(self._keys))

    def sign(self, ends: ChainEnds) -> str:
        """Return the seal of start and sealed position: the key's id and an HMAC-SHA256."""
        return self._signed(self.key_id, ends)

    def fits(self, ends: ChainEnds) -> bool:
        """Tell whether the seal is ours and of these positions."""
        key_id = (ends.seal or "").partition(":")[0]
        return key_id in self._keys and hmac.compare_digest(self._signed(key_id, ends), ends.seal or "")

    def _signed(self, key_id: str, ends: ChainEnds) -> str:
        what = [ends.tenant_id, ends.start_position, ends.start_hash, ends.sealed_position, ends.sealed_hash]
        digest = hmac.new(f"audit-seal:{self._keys[key_id]}".encode(), json.dumps(what).encode(), "sha256")
        return f"{key_id}:{digest.hexdigest()}"


class ChainCheck:
    """Goes through a chain's rows in order and gathers what does not fit."""

    def __init__(self, ends: ChainEnds, no_tenant: str, heads: Iterable[ChainHead] = ()) -> None:
        """``heads`` are positions seen before: the rows must still be those."""
        self._ends = ends
        self._no_tenant = no_tenant
        self._heads: dict[int, set[str]] = {}
        for head in heads:
            if head.position > ends.start_position:
                self._heads.setdefault(head.position, set()).add(head.hash)
        self.position, self.hash = ends.start_position, ends.start_hash
        self.events = 0
        self.unsealed_since: datetime | None = None
        self._findings: list[ChainFinding] = []

    def take(self, row: ChainRow) -> None:
        """Look at the next row; rows come by position."""
        if row.position <= self._ends.start_position:
            self._find("returned", row.position, "was pruned and is there all the same")
            return
        self.events += 1
        if row.position != self.position + 1:
            self._find("removed", self.position + 1, f"missing, and all up to {row.position - 1}")
        elif row.previous_hash != self.hash:
            self._find("moved", row.position, "does not follow the event before it: one of them was moved or replaced")
        if not row.fits_itself(self._no_tenant):
            self._find("changed", row.position, "is not the event its hash was made of")
        if self._heads.get(row.position, {row.hash}) != {row.hash}:
            self._find("rewritten", row.position, "is not the event that was seen at this position before")
        if row.position > self._ends.sealed_position and self.unsealed_since is None:
            self.unsealed_since = row.recorded_at
        self.position, self.hash = row.position, row.hash

    def findings(self) -> tuple[ChainFinding, ...]:
        """Compare with the chain's end, after the last row; returns all findings by position, twenty at most."""
        ends = self._ends
        last_seen = max((ends.position, *self._heads))
        if last_seen > self.position:
            self._find(
                "cut", self.position + 1, f"missing, and all up to {last_seen}: the end of the chain was cut off"
            )
        elif ends.position < self.position or ends.hash != self.hash:
            self._find("rewritten", self.position, "is not the event the chain's row ends with")
        return tuple(sorted(self._findings, key=lambda finding: finding.position))

    def _find(self, kind: FindingKind, position: int, said: str) -> None:
        if len(self._findings) < MOST_FINDINGS:
            self._findings.append(ChainFinding(kind=kind, position=position, said=said))


def verified(
    ends: ChainEnds,
    rows: Iterable[ChainRow],
    *,
    seal: AuditSeal,
    now: datetime,
    no_tenant: str,
    earlier: Iterable[ChainHead] = (),
) -> ChainReport:
    """Check a whole chain with its seal, and with heads that were seen ``earlier``."""
    heads = tuple(earlier)
    sealed = (ChainHead(position=ends.sealed_position, hash=ends.sealed_hash),) if seal.fits(ends) else ()
    check = ChainCheck(ends, no_tenant, (*heads, *sealed))
    for row in rows:
        check.take(row)
    findings = (*check.findings(), *_seal_findings(ends, seal, check.unsealed_since, now), *_against(ends, heads))
    return ChainReport(
        tenant_id=ends.tenant_id,
        start_position=ends.start_position,
        position=check.position,
        hash=check.hash,
        sealed_position=ends.sealed_position if sealed else 0,
        events=check.events,
        findings=findings,
    )


def _seal_findings(
    ends: ChainEnds, seal: AuditSeal, unsealed_since: datetime | None, now: datetime
) -> Iterator[ChainFinding]:
    position = ends.sealed_position
    if (ends.seal is not None or ends.start_position > 0 or position > 0) and not seal.fits(ends):
        said = "the seal is not ours: chain or seal were changed, or the key is another one"
        yield ChainFinding(kind="seal_broken", position=position, said=said)
    elif unsealed_since is not None and now - unsealed_since > SEALED_WITHIN:
        said = f"not sealed since {unsealed_since:%Y-%m-%d %H:%M} UTC: no worker has run, or it found the chain broken"
        yield ChainFinding(kind="unsealed", position=position + 1, said=said)


def _against(ends: ChainEnds, heads: Iterable[ChainHead]) -> Iterator[ChainFinding]:
    """Compare the checkpoint with what was seen at its position before; heads behind it can no longer be compared."""
    for head in heads:
        if head.position == ends.start_position and head.hash != ends.start_hash:
            said = "the checkpoint is not the event that was seen at this position before"
            yield ChainFinding(kind="rewritten", position=head.position, said=said)
