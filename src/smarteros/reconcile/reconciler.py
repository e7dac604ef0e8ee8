"""Finds the messages whose webhook never came, and gives them the treatment it would have brought.

Chatwoot sends most webhooks once and never again. So its own list of the bot's conversations is compared with what we
received; whatever is missing goes through the same door as a webhook, under the same key: one that comes late is a
duplicate then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

import structlog

from smarteros.channels.chatwoot.events import IgnoreReason, InboundEvent
from smarteros.channels.chatwoot.history import ChatwootHistory, ListedConversation, ListedMessage, is_activity
from smarteros.channels.protocol import Channel
from smarteros.domain.audit import AuditEvent
from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, SmosError
from smarteros.domain.messages import IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.edge.receive import Receipt, Receiver
from smarteros.flow.hand_overs import HandOvers
from smarteros.kit.clock import Clock, SystemClock
from smarteros.reconcile.catch_up import CatchUpLimits, Late, catch_up
from smarteros.reconcile.late import TOO_OLD, LateDesk
from smarteros.reconcile.metrics import LAST_SWEEP, RECONCILED, SWEEPS
from smarteros.reconcile.report import Found, ReconcileReport
from smarteros.reconcile.windows import OVERLAP, channel_clock, newest_change, wider_window, window_since
from smarteros.store.audit import append_event
from smarteros.store.database import Database
from smarteros.store.reconcile import (
    LastLook,
    checked_messages,
    last_look,
    received_message_ids,
    save_checked_message,
    save_look,
    try_lock_tenant,
)

_log = structlog.get_logger()

AUDIT_TOPIC = "smarteros.audit.reconcile"
# A message this young may have its webhook on the way.
SETTLED_AFTER = timedelta(seconds=15)
# Requests for messages in one run; Chatwoot allows 3000 a minute from one address, and others need them too.
MOST_CONVERSATIONS = 120
_MOST_SIGHTED = 10_000


@dataclass
class _Sweep:
    """One look through one account.

    ``now`` is the channel's own clock, ``since`` where the look begins on it, ``newest`` the newest change of the usual
    window. No missing message is older than ``at_most``, when we know that better than by its stamp.
    """

    tenant: Tenant
    account_id: int
    now: datetime
    since: datetime
    newest: datetime | None
    at_most: timedelta | None = None
    conversations: int = 0
    waiting: int = 0
    oldest_waiting: timedelta = timedelta(0)
    postponed: int = 0
    found: dict[Found, int] = field(default_factory=dict[Found, int])

    def age(self, message: ListedMessage) -> timedelta:
        age = self.now - message.created_at if message.created_at else timedelta(0)
        return age if self.at_most is None else min(age, self.at_most)

    def wait_for(self, messages: list[ListedMessage]) -> None:
        self.waiting += len(messages)
        self.oldest_waiting = max([self.oldest_waiting, *(self.age(message) for message in messages)])

    def count(self, outcome: Found) -> None:
        self.found[outcome] = self.found.get(outcome, 0) + 1
        RECONCILED.labels(self.tenant.tenant_id, outcome).inc()


@dataclass(frozen=True)
class Question:
    """A customer's message that was missing."""

    listed: ListedMessage
    message: IncomingMessage


class Reconciler:
    """Compares a tenant's Chatwoot with what was received. One run at a time per tenant, over all processes."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        history: ChatwootHistory,
        receiver: Receiver,
        hand_overs: HandOvers,
        clock: Clock | None = None,
        *,
        limits: CatchUpLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._history = history
        self._receiver = receiver
        self._clock = clock or SystemClock()
        self._limits = limits or CatchUpLimits()
        self._monotonic = monotonic
        self._late = LateDesk(database, channel, hand_overs)
        # Missing messages whose stamp says nothing, with when we first missed them.
        self._sighted: dict[tuple[str, int], float] = {}

    def run_once(self, tenant: Tenant, *, unless_within: timedelta | None = None) -> ReconcileReport:
        """Look through a tenant's Chatwoot once; with ``unless_within`` only if nobody has done so that lately.

        Raises TransientError or ConfigError when Chatwoot cannot be asked at all.
        """
        report = self._run(tenant, unless_within)
        SWEEPS.labels(tenant.tenant_id, report.outcome).inc()
        if report.outcome == "done":
            LAST_SWEEP.labels(tenant.tenant_id).set(self._clock.now().timestamp())
        return report

    def _run(self, tenant: Tenant, unless_within: timedelta | None) -> ReconcileReport:
        if not self._history.allowed(tenant):
            return ReconcileReport(tenant_id=tenant.tenant_id, outcome="no_user_token")
        # The transaction only holds the lock: it ends by itself when this process dies.
        with self._database.installation() as lock:
            if not try_lock_tenant(lock, tenant.tenant_id):
                return ReconcileReport(tenant_id=tenant.tenant_id, outcome="busy")
            sweeps = [self._account(tenant, account, unless_within) for account in tenant.chatwoot_account_ids]
        swept = [sweep for sweep in sweeps if sweep is not None]
        if not swept:
            return ReconcileReport(tenant_id=tenant.tenant_id, outcome="recent")
        return _report(tenant, swept)

    def _account(self, tenant: Tenant, account_id: int, unless_within: timedelta | None) -> _Sweep | None:
        now = self._clock.now()
        with self._database.tenant(tenant.scope) as connection:
            last = last_look(connection, tenant.tenant_id, account_id)
        since_last = None if last is None else now - last.checked_at
        if since_last is not None and unless_within is not None and since_last < unless_within:
            return None
        sweep, listed = self._look(tenant, account_id, now, since_last, last.seen_until if last else None)
        self._compare(sweep, listed)
        if not sweep.postponed:
            # The next run must see again what is still waited for.
            look = LastLook(now - sweep.oldest_waiting, sweep.newest)
            with self._database.tenant(tenant.scope) as connection:
                save_look(connection, tenant.tenant_id, account_id, look)
        return sweep

    def _look(
        self,
        tenant: Tenant,
        account_id: int,
        now: datetime,
        since_last: timedelta | None,
        seen_until: datetime | None,
    ) -> tuple[_Sweep, tuple[ListedConversation, ...]]:
        """List what changed since the last look, further back when the channel's clock was set in between."""
        window, at_most = window_since(since_last), None
        listed = self._history.of_bot(tenant, account_id, updated_within_s=math.ceil(window.total_seconds()))
        newest = newest_change(listed)
        wider = wider_window(newest, seen_until, since_last)
        if wider is not None and since_last is not None:
            window = wider
            listed = self._history.of_bot(tenant, account_id, updated_within_s=math.ceil(window.total_seconds()))
            # Whatever the stamps say, what was written before the last look was found then.
            at_most = since_last + OVERLAP
        channel_now = channel_clock(listed, now, window)
        return _Sweep(tenant, account_id, channel_now, channel_now - window, newest, at_most), listed

    def _compare(self, sweep: _Sweep, listed: tuple[ListedConversation, ...]) -> None:
        tenant_id, account_id = sweep.tenant.tenant_id, sweep.account_id
        with self._database.tenant(sweep.tenant.scope) as connection:
            ids = [conversation.conversation_id for conversation in listed]
            checked = checked_messages(connection, tenant_id, account_id, ids)
            last_ids = [conversation.last_message_id for conversation in listed]
            heard = received_message_ids(connection, tenant_id, account_id, last_ids)
        news = [each for each in listed if each.last_message_id > checked.get(each.conversation_id, 0)]
        # A conversation whose last message we know may still lack an earlier one, but the others surely lack one.
        news.sort(key=lambda each: (each.last_message_id in heard, each.last_message_id))
        sweep.postponed = max(0, len(news) - MOST_CONVERSATIONS)
        for conversation in news[:MOST_CONVERSATIONS]:
            try:
                self._conversation(sweep, conversation, checked.get(conversation.conversation_id))
            except PermanentError as error:  # gone meanwhile
                _log.warning("reconcile_conversation_failed", tenant=tenant_id, code=error.code)
            except ConfigError:
                raise
            except SmosError as error:
                sweep.postponed += 1
                _log.warning("reconcile_conversation_failed", tenant=tenant_id, code=error.code)

    def _conversation(self, sweep: _Sweep, conversation: ListedConversation, checked: int | None) -> None:
        tenant_id, account_id = sweep.tenant.tenant_id, sweep.account_id
        sweep.conversations += 1
        messages = self._messages(sweep, conversation, checked)
        with self._database.tenant(sweep.tenant.scope) as connection:
            heard = received_message_ids(connection, tenant_id, account_id, [m.message_id for m in messages])
        missing = [m for m in messages if m.message_id not in heard and not is_activity(m)]
        settled = list(takewhile(lambda message: self._settled(sweep, message), missing))
        sweep.wait_for(missing[len(settled) :])
        # Of such messages we have not heard only if we were restored from an older backup.
        answered = {number for m in messages if m.event is not None and m.event.reply_id for number in m.event.answers}
        self._treat(sweep, conversation, settled, led_by_person_until=_last_takeover(messages), answered=answered)
        # Of messages from before the look nothing is asked: a conversation that has only such ones is done with.
        done = max([conversation.last_message_id, *(m.message_id for m in messages)])
        if len(settled) < len(missing):
            waiting = missing[len(settled)].message_id
            done = max((m.message_id for m in messages if m.message_id < waiting), default=0)
        if done:
            with self._database.tenant(sweep.tenant.scope) as connection:
                save_checked_message(connection, tenant_id, account_id, conversation.conversation_id, done)

    def _messages(self, sweep: _Sweep, of: ListedConversation, checked: int | None) -> list[ListedMessage]:
        """Read what was written since the last look; of a conversation never looked at, what is new."""
        if checked is not None:
            pages = self._history.messages_after(sweep.tenant, of, checked)
            return [message for page in pages for message in page]
        pages = self._history.newest_messages(sweep.tenant, of, sweep.since)
        read = {message.message_id: message for page in pages for message in page}
        recent = [m for m in read.values() if m.created_at is not None and m.created_at >= sweep.since]
        return sorted(recent, key=lambda message: message.message_id)

    def _settled(self, sweep: _Sweep, message: ListedMessage) -> bool:
        """Tell whether the message's webhook has had its time. A stamp that cannot be true decides nothing."""
        believed = max(self._limits.answer_within, self._limits.apologise_within)
        if SETTLED_AFTER <= sweep.age(message) <= believed:
            return True
        if len(self._sighted) > _MOST_SIGHTED:
            self._sighted.clear()
        first = self._sighted.setdefault((sweep.tenant.tenant_id, message.message_id), self._monotonic())
        return self._monotonic() - first >= SETTLED_AFTER.total_seconds()

    def _treat(
        self,
        sweep: _Sweep,
        conversation: ListedConversation,
        missing: list[ListedMessage],
        *,
        led_by_person_until: int,
        answered: set[int],
    ) -> None:
        """Take what only has to be known first: a person's reply must be known before its question is answered."""
        questions: list[Question] = []
        for listed in missing:
            message = _question(sweep.tenant, listed)
            if listed.event is None:
                sweep.count("unreadable")
            elif message is None:
                self._take(sweep, listed.event)
                sweep.count("ignored")
            elif listed.message_id < led_by_person_until:
                self._leave(sweep, listed, listed.event, "human_assigned")
            elif listed.message_id in answered:
                self._leave(sweep, listed, listed.event, "answered_before")
            else:
                questions.append(Question(listed, message))
        self._catch_up(sweep, conversation, questions)

    def _leave(self, sweep: _Sweep, listed: ListedMessage, event: InboundEvent, reason: IgnoreReason) -> None:
        """Take a question that needs no answer of ours."""
        self._take(sweep, event.model_copy(update={"ignore_reason": reason}))
        self._note(sweep, listed, "ignored", reason)

    def _catch_up(self, sweep: _Sweep, conversation: ListedConversation, questions: list[Question]) -> None:
        """Treat a customer's questions by the age of the last one: earlier ones of the same talk belong to it."""
        late: dict[int, Late] = {q.message.id: catch_up(sweep.age(q.listed), self._limits) for q in questions}
        old = [q for q in questions if late[q.message.id] == "leave"]
        young = [q for q in questions if late[q.message.id] != "leave"]
        if old:
            self._late.leave(sweep.tenant, old[-1].message)
            self._close(sweep, old, "left")
        if not young:
            return
        decided: Late = late[young[-1].message.id]
        if decided == "answer":
            for question in young:
                self._answer(sweep, question.listed)
            return
        told = self._late.apologise(sweep.tenant, conversation, young[-1].message)
        self._close(sweep, young, "apologised" if told else "ignored")

    def _answer(self, sweep: _Sweep, listed: ListedMessage) -> None:
        assert listed.event is not None  # noqa: S101 - a question has one
        receipt = self._take(sweep, listed.event)
        if receipt is None:
            self._note(sweep, listed, "unreadable", None)
        else:
            self._note(sweep, listed, receipt.status, receipt.reason)

    def _take(self, sweep: _Sweep, event: InboundEvent) -> Receipt | None:
        """Take an event like a webhook; None for one that cannot be stored, which must not stop the others."""
        try:
            return self._receiver.take(sweep.tenant, event)
        except RejectedInputError as error:
            _log.warning("reconcile_message_refused", tenant=sweep.tenant.tenant_id, code=error.code)
            return None

    def _close(self, sweep: _Sweep, questions: Iterable[Question], outcome: Found) -> None:
        for question in questions:
            assert question.listed.event is not None  # noqa: S101 - a question has one
            stored = self._late.close(sweep.tenant, question.listed.event, sweep.account_id)
            self._note(sweep, question.listed, outcome if stored else "duplicate", TOO_OLD)

    def _note(self, sweep: _Sweep, listed: ListedMessage, outcome: Found, reason: str | None) -> None:
        """Count a customer's message that was found, and write it into the audit."""
        sweep.count(outcome)
        details = {"message_id": listed.message_id, "outcome": outcome, "reason": reason}
        event = AuditEvent(
            event_id=f"reconciled:{sweep.tenant.tenant_id}:{sweep.account_id}:{listed.message_id}",
            topic=AUDIT_TOPIC,
            kind="reconciled",
            tenant_id=sweep.tenant.tenant_id,
            conversation_id=listed.event.conversation_id if listed.event else None,
            timestamp=self._clock.now(),
            details={**details, "age_s": round(sweep.age(listed).total_seconds())},
        )
        with self._database.tenant(sweep.tenant.scope) as connection:
            append_event(connection, event)


def _question(tenant: Tenant, listed: ListedMessage) -> IncomingMessage | None:
    """Return the message when it is one that must be answered."""
    if listed.event is None or listed.event.ignore_reason is not None:
        return None
    return listed.event.message(tenant)


def _last_takeover(messages: list[ListedMessage]) -> int:
    """Return the last message by which a person took the conversation; 0 when none did."""
    return max((m.message_id for m in messages if m.event is not None and m.event.takeover), default=0)


def _report(tenant: Tenant, sweeps: list[_Sweep]) -> ReconcileReport:
    found: dict[Found, int] = {}
    for sweep in sweeps:
        for outcome, count in sweep.found.items():
            found[outcome] = found.get(outcome, 0) + count
    postponed = sum(sweep.postponed for sweep in sweeps)
    return ReconcileReport(
        tenant_id=tenant.tenant_id,
        outcome="incomplete" if postponed else "done",
        conversations=sum(sweep.conversations for sweep in sweeps),
        waiting=sum(sweep.waiting for sweep in sweeps),
        postponed=postponed,
        found=found,
    )
