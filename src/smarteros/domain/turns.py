"""A turn: one answer, the durable unit of work, and what is recorded of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from smarteros.domain.decisions import Decision, DialogueState, OtherPhoto
from smarteros.domain.limits import LimitName
from smarteros.domain.messages import IncomingMessage
from smarteros.domain.model import Model
from smarteros.domain.tools import ToolResult

StepName = Literal["receive", "resolve", "decide", "call_tools", "reply", "audit"]
STEP_NAMES: tuple[StepName, ...] = ("receive", "resolve", "decide", "call_tools", "reply", "audit")

Outcome = Literal[
    "answered",      # the reply is in the channel
    "escalated",     # a person was asked to take over, and the customer was told
    "merged",        # the message was answered together with an earlier one of the same burst
    "muted",         # a person has the conversation; silence is right
    "failed",        # not answered: no reply was possible (for example the conversation is gone)
]  # fmt: skip

# How a conversation may come into a person's hands by no rule of a contract; of a turn it is the record's ``rule``.
BUILT_IN_RULES: frozenset[str] = frozenset(
    {
        "delivery_failed",
        "error",
        "handed_over_in_console",
        "loop_guard",
        "opt_out",
        "outside_window",
        "over_limit",
        "tenant_suspended",
        "too_old",
    }
)

# What became of the flow's promise to the customer (contracts, section ``slo``).
Verdict = Literal[
    "kept",    # answered, or handed over, as quickly as promised
    "late",    # later than that, but while the customer still waited
    "broken",  # neither, or after the customer's patience
]  # fmt: skip
VERDICTS: tuple[Verdict, ...] = ("kept", "late", "broken")

TurnCause = Literal[
    "message",           # a customer wrote
    "human_reply",       # a person answered in a conversation that is still the bot's
    "delivery_failed",   # the channel could not deliver one of our replies
]  # fmt: skip


class TurnStart(Model):
    """What ``receive`` hands to the durable workflow. ``receive_ms`` is how long receiving took.

    Only a turn whose ``cause`` is a message answers; the others put the conversation into a person's hands. ``over``
    names the limit of its tenant that the message exceeded when it came.
    """

    turn_id: str
    tenant_id: str
    account_id: int
    conversation_id: int
    message_id: int
    received_at: datetime
    receive_ms: float = 0.0
    cause: TurnCause = "message"
    over: LimitName | None = None


Lane = Literal[
    "quick",   # text that may be answered from memory: any free thread takes it
    "slow",    # photos, and turns that call outside systems: they never hold all the threads
]  # fmt: skip


# From here on a photo counts as read; the contract's expressions use the same figure.
TRUSTED_CONFIDENCE = 0.70

Timbre = Literal["verificado", "alterado", "no_verificable", "ausente"]

# A comprobante proves a purchase without being one of SII's documents: nota de venta, ticket de compra.
DocumentKind = Literal["factura", "boleta", "nota_de_credito", "comprobante", "not_an_invoice"]


class DocumentReading(Model):
    """What was read from the photos of a turn. ``confidence`` is the minimum over the required fields.

    ``fraud`` says for the shop's people why the document must be looked at by a person; it is never told to the
    customer. ``advice`` is what to ask the customer for when the reading is not good enough; None for a picture that
    is no invoice at all.
    """

    text: str = ""
    confidence: float = 0.0
    invoice_detected: bool = False
    kind: DocumentKind = "not_an_invoice"
    fields: dict[str, Any] = Field(default_factory=dict)
    timbre: Timbre = "ausente"
    fraud: str | None = None
    advice: Literal["clearer_photo", "timbre_closeup"] | None = None
    timbre_reason: str | None = Field(default=None, description="The code behind ``timbre``")
    document_key: str | None = Field(default=None, description="Issuer, type and folio of a decoded timbre")

    @property
    def trusted(self) -> bool:
        """Whether what was read may be looked up and spoken of."""
        return self.invoice_detected and self.confidence >= TRUSTED_CONFIDENCE and self.fraud is None


class ResolvedTurn(Model):
    """Output of ``resolve``: everything the turn needs to be decided. ``stop`` ends it without a decision.

    A turn ``over`` a limit of its tenant's is a person's; ``told`` says that the customer has heard so this month.
    ``waited_ms`` of the duration were spent waiting for the customer to finish. ``round`` counts how often the turn
    was begun anew because the customer changed his words.
    """

    messages: tuple[IncomingMessage, ...] = ()
    state: DialogueState = DialogueState()
    history: tuple[str, ...] = ()
    reading: DocumentReading | None = None
    photo: bool = False
    other_photos: tuple[OtherPhoto, ...] = ()
    stop: Literal["merged", "muted"] | None = None
    reason: str | None = None
    over: LimitName | None = None
    told: bool = False
    round: int = 1
    waited_ms: float = 0.0
    duration_ms: float = 0.0

    @property
    def text(self) -> str:
        """What the customer wrote, all messages of the burst."""
        return "\n".join(m.text for m in self.messages if m.text)


class DecidedTurn(Model):
    """Output of ``decide``: the decision after the contract's thresholds, and the flow it belongs to."""

    flow_id: str
    decision: Decision
    duration_ms: float = 0.0


class ToolsCalled(Model):
    """Output of ``call_tools``."""

    results: tuple[ToolResult, ...] = ()
    duration_ms: float = 0.0


class Replied(Model):
    """Output of ``reply``: what was sent and what is to be remembered. ``rule`` names the contract's reply rule.

    ``withheld_facts`` are the kinds of facts that would have been stated without a source.
    ``again`` says that nothing was sent and the turn must be decided anew, because its messages have changed.
    ``message_id`` is the reply's message in the channel.
    """

    outcome: Outcome
    reason: str | None = None
    rule: str | None = None
    withheld_facts: tuple[str, ...] = ()
    text: str | None = None
    state: DialogueState = DialogueState()
    replied_at: datetime | None = None
    message_id: int | None = None
    again: bool = False
    duration_ms: float = 0.0


class TurnStory(Model):
    """What has become of a turn in its steps. ``decided`` is None when it ended before it was decided.

    Kept as the turn's draft, ``replied`` is how the turn ends once its text is in the channel, and ``summary`` the note
    for a person if it comes to that.
    """

    resolved: ResolvedTurn
    decided: DecidedTurn | None
    called: ToolsCalled
    replied: Replied
    summary: str = ""


class ClaimedTurn(Model):
    """A turn in the hands of one worker.

    ``claims`` counts how often the turn was taken up: only the newest claim may write or post (the fencing token).
    ``tries`` counts those that did not end by being put off. ``news`` counts what has happened in the conversation
    since the turn was accepted. ``draft`` is set when an earlier attempt was about to post.
    """

    start: TurnStart
    claims: int
    tries: int = 1
    news: int = 0
    lane: Lane = "quick"
    draft: TurnStory | None = None


class StepTiming(Model):
    """How long one step took, in milliseconds."""

    step: StepName
    duration_ms: float


class TurnRecord(Model):
    """The whole story of a turn, as kept in table ``turns`` and shown in console and traces."""

    turn_id: str
    tenant_id: str
    flow_id: str
    conversation_id: int
    message_id: int
    received_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    decision: Decision | None = None
    tool_results: tuple[ToolResult, ...] = ()
    reply_text: str | None = None
    rule: str | None = Field(default=None, description="The contract's reply or escalation rule that was used")
    withheld_facts: tuple[str, ...] = Field(default=(), description="Kinds of what the fact lock kept from being sent")
    reading: DocumentReading | None = None
    state: DialogueState = DialogueState()
    waited_ms: float = Field(default=0.0, description="Part of resolve: the customer was given time to finish")
    verdict: Verdict | None = Field(default=None, description="None when the turn had promised nothing")
    steps: tuple[StepTiming, ...] = ()
