"""The upkeep of the tenants' texts: sources are read, changes are checked, and activated or kept for approval."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.errors import PermanentError, RejectedInputError, SmosError
from smarteros.domain.knowledge import Document
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.upkeep import IMPORT, CheckReport, TextChange, TextSource, WaitingChange, digest_of
from smarteros.kit.clock import Clock
from smarteros.knowledge.evaluation import Expected
from smarteros.knowledge.passages import passages_of
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.knowledge.upkeep.chatwoot_texts import ChatwootTexts
from smarteros.knowledge.upkeep.check import AnswerCheck, Priors, shown
from smarteros.knowledge.upkeep.notices import UpkeepNotices
from smarteros.knowledge.upkeep.pages import PageReader, Validators, name_of
from smarteros.knowledge.upkeep.times import RETRY_AFTER, next_reading
from smarteros.store.audit import append_event
from smarteros.store.database import Database
from smarteros.store.documents import lock_documents
from smarteros.store.upkeep import (
    add_source,
    drop_waiting,
    keep_waiting,
    list_questions,
    list_sources,
    list_waiting,
    past_questions,
    remove_source,
    save_source,
    texts_of_turns,
)

# Readings in a row that may fail before the operator hears of it, where the fault may pass by itself.
_PATIENCE = 3


class Proposed(Model):
    """What became of a change: it answers now, waits for approval, or changes nothing."""

    outcome: Literal["activated", "waits", "unchanged"]
    report: CheckReport = CheckReport()
    passages: int = 0


@dataclass(frozen=True)
class KnowledgeUpkeep:
    """Reads sources and puts changes in force. ``priors`` are what the agent makes of a tenant's message.

    The index that answers is exchanged for one that is complete (``KnowledgeBase.replace``): no question meets a gap.
    """

    database: Database
    knowledge: KnowledgeBase
    pages: PageReader
    chatwoot: ChatwootTexts
    check: AnswerCheck
    notices: UpkeepNotices
    clock: Clock
    priors: Callable[[Tenant], Priors]

    def sources(self, tenant: Tenant) -> tuple[TextSource, ...]:
        """List the tenant's sources by name."""
        with self.database.tenant(tenant.scope) as connection:
            return list_sources(connection, tenant.tenant_id)

    def add(self, tenant: Tenant, source: TextSource) -> None:
        """Keep a new source; it is due at once. RejectedInputError when its name is taken."""
        with self._noted(tenant, "kb_source_added", source=source.name, source_kind=source.kind) as connection:
            if source.name == IMPORT or not add_source(connection, tenant.tenant_id, source):
                raise RejectedInputError("kb_source_exists", f"There is a source {source.name!r} already")

    def remove(self, tenant: Tenant, name: str, *, texts: bool) -> None:
        """Forget a source and what of it waits; with ``texts`` what came from it answers no more either.

        RejectedInputError when there is none of this name.
        """
        with self._noted(tenant, "kb_source_removed", source=name, texts=texts) as connection:
            if not remove_source(connection, tenant.tenant_id, name):
                raise _unknown(name)
            drop_waiting(connection, tenant.tenant_id, name)
        if texts:
            self._activate(tenant, TextChange(origin=name, mode="source", documents=(), note=f"{name} removed"))

    def sync(self, tenant: Tenant, name: str) -> Proposed:
        """Read a source now. Raises what kept it from being read; RejectedInputError when there is none of this name.

        What came is compared with what is there: unchanged texts make no new version.
        """
        source = next((each for each in self.sources(tenant) if each.name == name), None)
        if source is None:
            raise _unknown(name)
        try:
            read, proposed = self._read(tenant, source)
        except SQLAlchemyError:
            raise
        except Exception as error:  # whatever it is: a source that breaks its reader is not read every minute
            unreadable = PermanentError("kb_source_unreadable", f"{name}: {type(error).__name__}")
            self._failed(tenant, source, error if isinstance(error, SmosError) else unreadable)
            raise
        now = self.clock.now()
        read = read.model_copy(update={"read_at": now, "next_at": next_reading(source.every, now), "failures": 0})
        self._save(tenant, read.model_copy(update={"error": None}))
        return proposed

    def due(self, tenant: Tenant) -> tuple[str, ...]:
        """Name the sources that are to be read now."""
        now = self.clock.now()
        return tuple(source.name for source in self.sources(tenant) if source.next_at <= now)

    def propose(self, tenant: Tenant, change: TextChange) -> Proposed:
        """Check a change with what was asked before; beyond the tenant's limits it waits for approval."""
        before = self.knowledge.documents(tenant.scope)
        after = change.applied_to(before)
        if after == before:
            self._drop(tenant, change.origin)
            return Proposed(outcome="unchanged")
        report = self._checked(tenant, after)
        if report.within(tenant.kb):
            passages = self._activate(tenant, change)
            self._drop(tenant, change.origin)
            return Proposed(outcome="activated", report=report, passages=passages)
        waiting = WaitingChange(change=change, report=report, made_at=self.clock.now())
        counts = {"asked": report.asked, "changed": report.changed, "lost": report.lost}
        with self._noted(tenant, "kb_change_waits", origin=change.origin, **counts) as connection:
            keep_waiting(connection, tenant.tenant_id, waiting)
            self.notices.change_waits(connection, tenant, waiting)
        self.notices.tell_owner(tenant, waiting)  # a mail server takes seconds: no transaction waits for it
        return Proposed(outcome="waits", report=report)

    def waiting(self, tenant: Tenant) -> tuple[WaitingChange, ...]:
        """List the changes that wait for approval, the oldest first, with the questions that are still known."""
        with self.database.tenant(tenant.scope) as connection:
            found = list_waiting(connection, tenant.tenant_id)
            turns = [each.turn_id for waiting in found for each in waiting.report.answers if each.turn_id]
            texts = texts_of_turns(connection, tenant.tenant_id, turns)
        questions = {turn_id: shown(text) for turn_id, text in texts.items()}
        return tuple(
            waiting.model_copy(update={"report": waiting.report.with_questions(questions)}) for waiting in found
        )

    def approve(self, tenant: Tenant, origin: str | None = None, *, by: Mapping[str, str]) -> int:
        """Put a waiting change in force, by default the only one; returns the number of passages.

        ``by`` is who decides so, as the audit tells it (``person``, ``role``). RejectedInputError when none waits, or
        several do and none is named.
        """
        chosen = self._chosen(tenant, origin).change
        with self._decided(tenant, "kb_change_approved", chosen.origin, by) as connection:
            return self._apply(connection, tenant, chosen)

    def refuse(self, tenant: Tenant, origin: str | None = None, *, by: Mapping[str, str]) -> None:
        """Turn a waiting change down, as in ``approve``: a source is listened to again when it says something else."""
        chosen = self._chosen(tenant, origin).change
        with self._decided(tenant, "kb_change_refused", chosen.origin, by) as connection:
            for source in list_sources(connection, tenant.tenant_id):
                if chosen.mode == "source" and source.name == chosen.origin:
                    refused = {"refused": digest_of(chosen.documents), "etag": None, "last_modified": None}
                    save_source(connection, tenant.tenant_id, source.model_copy(update=refused))

    def _read(self, tenant: Tenant, source: TextSource) -> tuple[TextSource, Proposed]:
        """Read a source and propose what it gave; returns how the source stands then."""
        waiting = next((w.change.documents for w in self.waiting(tenant) if w.change.origin == source.name), None)
        held = self.knowledge.documents(tenant.scope)
        there = tuple(each for each in held if each.name.startswith(source.folder)) if waiting is None else waiting
        # Only what we still have needs no sending again: texts may have been rolled back or replaced meanwhile.
        known = None
        if digest_of(there) == source.digest:
            known = Validators(source.etag, source.last_modified)
        unchanged = Proposed(outcome="unchanged")
        if source.kind == "page":
            page = self.pages.read(tenant, source.address, f"{source.folder}{name_of(source.address)}", known)
            if page.document is None:
                return source, unchanged
            _require_text(source, page.document)
            documents: tuple[Document, ...] = (page.document,)
            found = page.validators
        else:
            read = self.chatwoot.canned if source.kind == "canned" else self.chatwoot.articles
            documents, found = read(tenant, source), Validators()
        digest = digest_of(documents)
        state = {"digest": digest, "etag": found.etag, "last_modified": found.last_modified}
        read_source = source.model_copy(update=state)
        if digest in (digest_of(there), source.refused):
            return read_source, unchanged
        change = TextChange(origin=source.name, mode="source", documents=documents, note=f"sync {source.name}")
        return read_source.model_copy(update={"refused": None}), self.propose(tenant, change)

    def _checked(self, tenant: Tenant, after: Sequence[Document]) -> CheckReport:
        settings = tenant.kb
        since = self.clock.now() - timedelta(days=settings.history_days)
        with self.database.tenant(tenant.scope) as connection:
            past = past_questions(connection, tenant.tenant_id, since, settings.most_questions)
            stored = [Expected(**each) for each in list_questions(connection, tenant.tenant_id)]
        if not past and not stored:
            return CheckReport()
        return self.check.compare(tenant.scope, tuple(after), past, stored, self.priors(tenant))

    def _activate(self, tenant: Tenant, change: TextChange) -> int:
        with self.database.tenant(tenant.scope) as connection:
            return self._apply(connection, tenant, change)

    def _apply(self, connection: sa.Connection, tenant: Tenant, change: TextChange) -> int:
        """Apply a change to the texts as they are by now, nobody else changing them until the transaction ends."""
        lock_documents(connection, tenant.tenant_id)
        return self.knowledge.change(tenant.scope, change.applied_to, note=change.note)

    def _chosen(self, tenant: Tenant, origin: str | None) -> WaitingChange:
        waiting = self.waiting(tenant)
        chosen = [each for each in waiting if origin in (None, each.change.origin)]
        if len(chosen) == 1:
            return chosen[0]
        names = ", ".join(each.change.origin for each in waiting) or "none"
        raise RejectedInputError("kb_nothing_waits", f"Name the change to decide about; waiting: {names}")

    @contextmanager
    def _decided(self, tenant: Tenant, kind: str, origin: str, by: Mapping[str, str]) -> Generator[sa.Connection]:
        """Decide about a change that waits: once, also when two people do so at the same moment."""
        with self._noted(tenant, kind, origin=origin, **by) as connection:
            if not drop_waiting(connection, tenant.tenant_id, origin):
                raise RejectedInputError("kb_nothing_waits", f"{origin}: somebody else has just decided about it")
            yield connection

    def _failed(self, tenant: Tenant, source: TextSource, error: SmosError) -> None:
        now = self.clock.now()
        regular = next_reading(source.every, now)
        failures = source.failures + 1
        again = min(regular, now + RETRY_AFTER) if error.retryable else regular
        failed = {"failures": failures, "error": error.operator_message[:500], "read_at": now, "next_at": again}
        source = source.model_copy(update=failed)
        self._save(tenant, source)
        if failures == (_PATIENCE if error.retryable else 1):
            with self.database.tenant(tenant.scope) as connection:
                self.notices.source_failed(connection, tenant, source)

    def _save(self, tenant: Tenant, source: TextSource) -> None:
        with self.database.tenant(tenant.scope) as connection:
            save_source(connection, tenant.tenant_id, source)

    def _drop(self, tenant: Tenant, origin: str) -> None:
        with self.database.tenant(tenant.scope) as connection:
            drop_waiting(connection, tenant.tenant_id, origin)

    @contextmanager
    def _noted(self, tenant: Tenant, kind: str, **details: Any) -> Generator[sa.Connection]:
        """Do something in one transaction with its audit event."""
        with self.database.tenant(tenant.scope) as connection:
            yield connection
            event = AuditEvent(
                event_id=f"kb:{uuid.uuid4().hex}",
                topic=SECURITY_TOPIC,
                kind=kind,
                tenant_id=tenant.tenant_id,
                timestamp=self.clock.now(),
                details=details,
            )
            append_event(connection, event)


def _require_text(source: TextSource, document: Document) -> None:
    """An empty page is an accident of its site more often than the owner's wish to say nothing any more."""
    if not passages_of(document):
        raise RejectedInputError("page_empty", f"{source.name}: there is no text on the page")


def _unknown(name: str) -> RejectedInputError:
    return RejectedInputError("kb_source_unknown", f"There is no source {name!r}; see smos kb source list")
