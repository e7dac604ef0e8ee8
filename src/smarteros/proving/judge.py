"""The judge: counts what went wrong in a conversation, from what Chatwoot has of it and nothing else. Pure.

A reply may lose a race by the length of one request: Chatwoot has no conditional post, so what happens between the
last look at the conversation and the reply's arrival cannot be seen. Such a reply is excused within ``RACE_S`` (plus
what a fault slowed the account's requests down), and counted as ``raced``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from smarteros.domain.model import Model
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


@dataclass(frozen=True)
class _Answer:
    """A reply and the messages it was to answer; of the last ones it may not have known.

    ``besides``: what the reply before need not have known, so that this one answered it together with its own.
    """

    reply: Entry
    covers: tuple[Entry, ...]
    besides: tuple[Entry, ...] = ()


@dataclass
class _Court:
    """Walks through a conversation and remembers who leads it and who waits.

    Which messages a reply answers is taken from their order: all that waited. Whether it really did is taken from its
    words, where the script knows what the right answer says.
    """

    transcript: Transcript
    leader: _Leader = "bot"
    since: Entry | None = None
    person: Entry | None = None
    waiting: list[Entry] = field(default_factory=list[Entry])
    # Messages that came so shortly before a reply, or so long after the first, that it need not have answered them.
    perhaps: list[Entry] = field(default_factory=list[Entry])
    # Messages Chatwoot gave to people in an outage or a person took over, and nobody has answered: found again when
    # the bot leads again, they may be answered late.
    left: list[Entry] = field(default_factory=list[Entry])
    # Messages said while the bot did not lead.
    with_people: set[int] = field(default_factory=set[int])
    heard: list[Entry] = field(default_factory=list[Entry])
    answers: list[_Answer] = field(default_factory=list[_Answer])
    markers: set[str] = field(default_factory=set[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    counts: Counter[str] = field(default_factory=Counter[str])

    def hear(self, entry: Entry) -> None:
        if entry.kind == "human":
            self.person = entry
        match entry.kind:
            case "customer":
                self._customer(entry)
            case "bot":
                self._reply(entry)
            case "human" | "taken":
                self._leads("human", entry)
            case "handed" | "outage":
                if self.leader != "human":
                    self._leads("handed" if entry.kind == "handed" else "outage", entry)
            case "bot_again":
                self.leader, self.since = "bot", None
            case _:
                pass
        self.heard.append(entry)

    def close(self) -> None:
        for message in self.waiting:
            self._accuse("lost", message, "no reply followed this message, and nobody had taken over")
        for turn in self.transcript.turns:
            self._judge_turn(turn)
        self._judge_order()

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
            self.waiting.append(entry)
            return
        self.with_people.add(entry.id)
        if self.leader != "human":
            self.counts[self.leader] += 1
        if self.leader == "outage":
            self.left.append(entry)

    def _leads(self, leader: _Leader, entry: Entry) -> None:
        if leader != "human":
            self.counts[leader] += len(self.waiting)
        if leader == "outage" or entry.kind == "taken":  # who takes a conversation has answered nothing so far
            self.left += self.waiting
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
        if self.leader == "bot":
            self._answer(reply)
        elif self.leader in ("human", "handed") and not self._excused(reply):
            who = "a person" if self.leader == "human" else "the bot itself, which gave the conversation away,"
            self._accuse("after_human", reply, f"{who} had ended the bot's part before")

    def _answer(self, reply: Entry) -> None:
        if self._answers_what_was_left(reply):
            return
        unanswered = (*self.perhaps, *self.waiting)
        if not unanswered:
            self._one_too_many(reply)
            return
        if self._was_for_a_person(reply):
            return
        covers = tuple(self.waiting) or self._late(reply)
        self.answers.append(_Answer(reply, covers, tuple(self.perhaps) if self.waiting else ()))
        answered = covers[0].id if reply.opener is None else reply.opener
        self.perhaps = [
            message
            for message in unanswered
            if message.id != answered
            and (_too_late_to_wait(unanswered[0], reply) or not self._surely_known(message, reply))
        ]
        self.waiting.clear()

    def _answers_what_was_left(self, reply: Entry) -> bool:
        """Whether it is the late answer to what people had, and says nothing of what waits meanwhile."""
        found = [message for message in self.left if message.id == reply.opener]
        asked = {message.turn for message in self.waiting}
        if not found or any(turn.number in asked and _says(reply, turn) for turn in self.transcript.turns):
            return False
        self.left = [message for message in self.left if message.id > found[0].id]
        self.answers.append(_Answer(reply, tuple(found)))
        return True

    def _was_for_a_person(self, reply: Entry) -> bool:
        """Whether a person has replied after its question, and given back: it is no answer to what waits now."""
        person = self.person
        if person is None or reply.opener is None or reply.opener > person.id:
            return False
        if self._surely_known(person, reply):
            self._accuse("after_human", reply, "a person had replied to its question before")
        return True

    def _late(self, reply: Entry) -> tuple[Entry, ...]:
        """What is left for a reply that came when nothing waited for certain."""
        own = tuple(message for message in self.perhaps if message.id == reply.opener)
        return own or tuple(self.perhaps)

    def _one_too_many(self, reply: Entry) -> None:
        """Nothing waited for this reply: either it repeats the last one, or the last one left something out."""
        previous = self.answers[-1] if self.answers else None
        covered = {message.turn for message in previous.covers} if previous else set[int | None]()
        turns = [turn for turn in self.transcript.turns if turn.number in covered]
        if previous is None or not turns or (len(turns) == 1 and turns[0].messages == 1):
            self._accuse("doubled", reply, "every message had its reply already")
            return
        if len(turns) == 1:
            self._accuse("superseded_sent", previous.reply, "it left out what the next reply says, and had it")
        elif not any(_says(reply, turn) and not _says(previous.reply, turn) for turn in turns):
            self._accuse("doubled", reply, "none of the questions before it was still without an answer")
        self.answers.append(_Answer(reply, previous.covers))

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
        answers = [answer for answer in self.answers if any(m.turn == turn.number for m in answer.covers)]
        if turn.messages > 1 and answers and self._came_together(turn):
            self.counts["bursts"] += 1
            own = [answer for answer in answers if _is_only_for(answer, turn) or _says(answer.reply, turn)]
            if len(own) > 1:
                self.counts["two_replies"] += 1
                self._accuse("two_replies", own[-1].reply, f"turn {turn.number} has {len(own)} replies")
        if not answers or not turn.expects:
            return
        last = [message for message in self.heard if message.kind == "customer" and message.turn == turn.number][-1]
        # Questions asked in one go are one turn, whose answer need not say everything.
        alone = all(_is_only_for(answer, turn) for answer in answers) and not any(
            message.id == last.id for answer in self.answers for message in answer.besides
        )
        if alone and not self._left_to_people(last) and not any(_says(answer.reply, turn) for answer in answers):
            self._accuse("lost", last, f"no reply to the turn says any of {', '.join(turn.expects)}")

    def _came_together(self, turn: ScriptedTurn) -> bool:
        """A burst torn apart by a lost or late webhook is none to us."""
        messages = [message for message in self.heard if message.kind == "customer" and message.turn == turn.number]
        return all(m.at is None or (m.arrived is not None and m.arrived - m.at < _TOGETHER_S) for m in messages)

    def _judge_order(self) -> None:
        """An earlier question that was there in time must not be answered after a later one."""
        asked = {message.turn: message for message in self.heard if message.kind == "customer"}
        turns = [turn for turn in self.transcript.turns if turn.expects and turn.number in asked]
        for earlier, later in combinations(turns, 2):
            if set(earlier.expects) & set(later.expects):
                continue
            first = next((a.reply for a in self.answers if _answers(a, later, asked) and _says(a.reply, later)), None)
            if first is None or not self._surely_known(asked[earlier.number], first):
                continue
            answered = [a.reply for a in self.answers if _answers(a, earlier, asked) and _says(a.reply, earlier)]
            if answered and answered[0].id > first.id:
                self._accuse("out_of_order", answered[0], f"turn {later.number} was answered before")

    def _left_to_people(self, last: Entry) -> bool:
        if last.id in self.with_people:
            return True
        after = [entry for entry in self.heard if entry.id > last.id]
        signs = [e for e in after if e.kind in ("human", "taken", "handed", "outage")]
        if any(s.at is not None and last.arrived is not None and s.at < last.arrived for s in signs):
            return True  # its webhook came late, when a person led already
        # Nothing was said by the bot that could have known it: the customer may have gone on, that changes nothing.
        spoken = next((e.id for e in after if e.kind == "bot" and self._surely_known(last, e)), None)
        return any(spoken is None or sign.id < spoken for sign in signs)

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


def _is_only_for(answer: _Answer, turn: ScriptedTurn) -> bool:
    return all(message.turn == turn.number for message in (*answer.covers, *answer.besides))


def _says(reply: Entry, turn: ScriptedTurn) -> bool:
    return any(text in reply.text for text in turn.expects)


def _answers(answer: _Answer, turn: ScriptedTurn, asked: dict[int | None, Entry]) -> bool:
    return answer.reply.id > asked[turn.number].id


def count(findings: Iterable[Finding]) -> dict[Charge, int]:
    """Count by charge; every charge has a number."""
    counted = Counter(finding.charge for finding in findings)
    return {charge: counted[charge] for charge in CHARGES}
