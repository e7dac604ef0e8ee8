"""The judge: counts what went wrong in a conversation, from what Chatwoot has of it and nothing else. Pure.

A reply may lose a race by the length of one request: Chatwoot has no conditional post, so what happens between the
last look at the conversation and the reply's arrival cannot be seen. Such a reply is excused within ``RACE_S`` (plus
what a fault slowed the account's requests down), and counted as ``raced``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from smarteros.domain.model import Model
from smarteros.flow.turn_taking import is_greeting
from smarteros.proving.transcript import Entry, ScriptedTurn, Transcript

Charge = Literal["lost", "doubled", "out_of_order", "after_human", "superseded_sent", "two_replies"]
# Of these not one may happen; of two replies to a burst fewer than 1 %.
CHARGES: tuple[Charge, ...] = ("lost", "doubled", "out_of_order", "after_human", "superseded_sent")
RACE_S = 0.5
# How long after it was armed a fault that slows requests may still be at work.
SLOW_FOR_S = 20.0
_TOGETHER_S = 1.0
# docs/turns.md: never later than 5 s after the first message.
_MOST_BURST_S = 5.0

_Leader = Literal["bot", "human", "handed", "outage"]


class Finding(Model):
    """One thing that must not happen, and where."""

    charge: Charge
    tenant_id: str
    conversation_id: int
    message_id: int
    at: float | None
    what: str
    transcript: tuple[str, ...]
    near: tuple[str, ...] = ()


class Verdict(Model):
    """What one conversation adds to the counts."""

    findings: tuple[Finding, ...] = ()
    customer_messages: int = 0
    replies: int = 0
    bursts: int = 0
    two_replies: int = 0
    # Replies that lost the race described above.
    raced: int = 0
    # Messages left to people: after a hand-over of ours, or because Chatwoot opened the conversation when no edge was
    # there to take the webhook.
    handed: int = 0
    outage: int = 0


def judge(transcript: Transcript) -> Verdict:
    """Judge one conversation."""
    court = _Court(transcript)
    for entry in transcript.entries:
        court.hear(entry)
    court.close()
    return court.verdict()


@dataclass
class _Court:
    """Walks through a conversation and remembers who leads it and who waits.

    Which messages a reply answers it says itself (``Entry.answers``). Whether it really did is taken from its words,
    where the script knows what the right answer says.
    """

    transcript: Transcript
    leader: _Leader = "bot"
    since: Entry | None = None
    person: Entry | None = None
    waiting: dict[int, Entry] = field(default_factory=dict[int, Entry])
    # Messages Chatwoot gave to people in an outage or a person took over, and nobody has answered: found again when
    # the bot leads again, they may be answered late.
    left: set[int] = field(default_factory=set[int])
    heard: dict[int, Entry] = field(default_factory=dict[int, Entry])
    # By customer's message: the reply that answered it first.
    answered: dict[int, Entry] = field(default_factory=dict[int, Entry])
    replies: list[Entry] = field(default_factory=list[Entry])
    markers: set[str] = field(default_factory=set[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    counts: Counter[str] = field(default_factory=Counter[str])

    def hear(self, entry: Entry) -> None:
        self.heard[entry.id] = entry
        match entry.kind:
            case "customer":
                self._customer(entry)
            case "bot":
                self._reply(entry)
            case "human" | "taken":
                self.person = entry if entry.kind == "human" else self.person
                self._leads("human", entry)
            case "handed" | "outage":
                if self.leader != "human":
                    self._leads("handed" if entry.kind == "handed" else "outage", entry)
            case "bot_again":
                self.leader, self.since = "bot", None
            case _:
                pass

    def close(self) -> None:
        for message in self.waiting.values():
            if not self._is_late_greeting(message):
                self._accuse("lost", message, "no reply followed this message, and nobody had taken over")
        for turn in self.transcript.turns:
            self._judge_turn(turn)

    def verdict(self) -> Verdict:
        counts = self.counts
        return Verdict(
            findings=tuple(self.findings),
            customer_messages=counts["customer"],
            replies=counts["replies"],
            bursts=counts["bursts"],
            two_replies=counts["two_replies"],
            raced=counts["raced"],
            handed=counts["handed"],
            outage=counts["outage"],
        )

    def _customer(self, entry: Entry) -> None:
        self.counts["customer"] += 1
        if self.leader == "bot":
            self.waiting[entry.id] = entry
            return
        if self.leader != "human":
            self.counts[self.leader] += 1
        if self.leader == "outage":
            self.left.add(entry.id)

    def _leads(self, leader: _Leader, entry: Entry) -> None:
        if leader != "human":
            self.counts[leader] += len(self.waiting)
        if leader == "outage" or entry.kind == "taken":  # who takes a conversation has answered nothing so far
            self.left.update(self.waiting)
        else:
            self.left.clear()
        if self.leader != leader:
            self.leader, self.since = leader, entry
        self.waiting.clear()

    def _reply(self, reply: Entry) -> None:
        self.counts["replies"] += 1
        if reply.marker is not None and reply.marker in self.markers:
            self._accuse("doubled", reply, "a reply with the same marker is there already")
            return
        self.markers.add(reply.marker or "")
        if self.leader in ("human", "handed") and not self._excused(reply):
            who = "a person" if self.leader == "human" else "the bot itself, which gave the conversation away,"
            self._accuse("after_human", reply, f"{who} had ended the bot's part before")
        elif not self._was_for_a_person(reply):
            self._answer(reply)

    def _was_for_a_person(self, reply: Entry) -> bool:
        """Whether a person has replied after its questions, and given back: they are his, whoever leads now."""
        person = self.person
        if person is None or self.leader != "bot" or max(reply.answers, default=person.id) >= person.id:
            return False
        if self._surely_known(person, reply):
            self._accuse("after_human", reply, "a person had replied to its question before")
        return True

    def _answer(self, reply: Entry) -> None:
        named = reply.answers or self._apologised_for(reply)
        news = [self.heard[number] for number in named if number in self.heard and number not in self.answered]
        if not news:
            self._accuse("doubled", reply, "every message it answers had its reply already")
        for message in news:
            if message.id not in self.left:
                self._judge_order(message, reply)
        for message in news:
            self.answered[message.id] = reply
            self.waiting.pop(message.id, None)
            self.left.discard(message.id)
        self.replies.append(reply)

    def _apologised_for(self, reply: Entry) -> tuple[int, ...]:
        """What a reply is for that names nothing: reconcile's apology, which gives all that waits to people."""
        return (*self.left, *self.waiting) if self._gave_away(reply) else ()

    def _judge_order(self, message: Entry, reply: Entry) -> None:
        """A message that was there in time is answered before any later one, and together with its own burst."""
        later = [other for number, other in self.answered.items() if number > message.id]
        if any(self._surely_known(message, other) for other in later):
            self._accuse("out_of_order", reply, f"message {message.id} had reached us before a later one was answered")
        burst = [other for n, other in self.answered.items() if n < message.id and self.heard[n].turn == message.turn]
        for other in burst[:1]:
            first = min(number for number, answer in self.answered.items() if answer is other)
            if self._surely_known(message, other) and not _too_late_to_wait(self.heard[first], other):
                self._accuse("superseded_sent", other, f"it left out message {message.id}, and had it")

    def _is_late_greeting(self, message: Entry) -> bool:
        """A greeting that reached us after the answer to what followed it needs none."""
        later = [reply for number, reply in self.answered.items() if number > message.id]
        return is_greeting(message.text) and bool(later) and not self._surely_known(message, later[0])

    def _surely_known(self, message: Entry, reply: Entry) -> bool:
        if message.arrived is None or reply.at is None:
            return False
        return reply.at - message.arrived > self._allowed(reply.at)

    def _allowed(self, at: float) -> float:
        slowed = [value for since, value in self.transcript.slowed if since <= at <= since + SLOW_FOR_S]
        return RACE_S + max(slowed, default=0.0)

    def _excused(self, reply: Entry) -> bool:
        """A reply under way when the sign came: prepared for an earlier message, and only a moment later."""
        sign = self.since
        if sign is None or sign.at is None or reply.at is None:
            return False
        if reply.at - sign.at > self._allowed(reply.at):
            return False
        self.counts["raced"] += 1
        return True

    def _judge_turn(self, turn: ScriptedTurn) -> None:
        messages = [m for m in self.heard.values() if m.kind == "customer" and m.turn == turn.number]
        own = {message.id for message in messages}
        answers = [reply for reply in self.replies if own.intersection(reply.answers)]
        if turn.messages > 1 and answers and _came_together(messages):
            self.counts["bursts"] += 1
            told = [reply for reply in answers if own.issuperset(reply.answers) or _says(reply, turn)]
            if len(told) > 1:
                self.counts["two_replies"] += 1
                self._accuse("two_replies", told[-1], f"turn {turn.number} has {len(told)} replies")
        if not turn.expects or not messages or messages[-1].id not in self.answered:
            return
        # Questions asked in one go are one turn, whose answer need not say everything.
        alone = all(own.issuperset(reply.answers) for reply in answers)
        if alone and not any(_says(reply, turn) or self._gave_away(reply) for reply in answers):
            self._accuse("lost", messages[-1], f"no reply to the turn says any of {', '.join(turn.expects)}")

    def _gave_away(self, reply: Entry) -> bool:
        """Whether the bot called a person with this reply; how often it does is counted as ``handed``."""
        after = (entry for entry in self.transcript.entries if entry.id > reply.id and entry.kind != "note")
        return next((entry.kind for entry in after), None) == "handed"

    def _accuse(self, charge: Charge, entry: Entry, what: str) -> None:
        self.findings.append(
            Finding(
                charge=charge,
                tenant_id=self.transcript.tenant_id,
                conversation_id=self.transcript.conversation_id,
                message_id=entry.id,
                at=entry.at,
                what=what,
                transcript=self.transcript.lines(),
            )
        )


def _too_late_to_wait(first: Entry, reply: Entry) -> bool:
    """After so long a burst is answered without what has come meanwhile; a slow tool or a crash may take that time."""
    return first.at is None or reply.at is None or reply.at - first.at > _MOST_BURST_S


def _came_together(messages: Sequence[Entry]) -> bool:
    """A burst torn apart by a lost or late webhook is none to us."""
    return all(m.at is None or (m.arrived is not None and m.arrived - m.at < _TOGETHER_S) for m in messages)


def _says(reply: Entry, turn: ScriptedTurn) -> bool:
    return any(text in reply.text for text in turn.expects)


def count(findings: Iterable[Finding]) -> dict[Charge, int]:
    """Count by charge; every charge has a number."""
    counted = Counter(finding.charge for finding in findings)
    return {charge: counted[charge] for charge in CHARGES}
