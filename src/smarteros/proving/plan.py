"""What is said and which faults come when: the same for the same seed. Real timing cannot be."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from smarteros.domain.messages import ChannelName
from smarteros.domain.model import Model

StepKind = Literal["say", "photo", "human_reply", "assign", "open", "bot_again"]
Victim = Literal["edge", "worker", "postgres"]
# Where in the life of a turn a process is killed. Each is a boundary that can be seen from outside.
Moment = Literal[
    "receive",         # a webhook's event is stored, and the turn it opened with it
    "claimed",         # a worker has the turn, but not yet the messages
    "resolve",         # it has the messages, and nothing is written down
    "call_tools",      # a request of its tools is under way
    "reply_intended",  # the reply is written down and not in Chatwoot
    "reply_posted",    # the reply is in Chatwoot, and the turn has not ended
    "hand_over",       # the same, with a person still to be called
    "audit",           # the turn has just ended
    "random",          # anywhere in a turn
]  # fmt: skip

WORKER_MOMENTS: tuple[Moment, ...] = (
    "claimed", "resolve", "call_tools", "reply_intended", "reply_posted", "hand_over", "audit", "random",
)  # fmt: skip
EDGE_MOMENTS: tuple[Moment, ...] = ("receive", "receive", "receive", "random")
POSTGRES_MOMENTS: tuple[Moment, ...] = ("resolve", "reply_intended", "reply_posted", "random")
# service, kind, longest value (None: takes none), how often in a row
_FAULTS: tuple[tuple[str, str, float | None, int], ...] = (
    ("chatwoot", "save_then_500", None, 2),
    ("chatwoot", "slow", 1.2, 3),
    ("chatwoot", "duplicate", None, 3),
    ("chatwoot", "reorder", 1.5, 1),
    ("chatwoot", "late", 1.5, 2),
    ("chatwoot", "api_500", None, 2),
    ("chatwoot", "attachment_404", 1.0, 1),
    ("shopify", "hang", 3.0, 2),
    ("shopify", "http_500", None, 2),
    ("odoo", "http_500", None, 1),
    ("sandbox", "clock_jump", 7200.0, 1),
)
DROP = ("chatwoot", "drop", None, 1)
_TURNS_PER_FAULT = 8


class Step(Model):
    """One thing a customer or a person of the shop does.

    ``say`` and ``photo`` are turns: ``texts`` are its messages, ``gaps_s`` the pauses between them. ``overtaken_by``
    is done by a person while the reply is being prepared, ``delay_s`` after the last message. ``silent``: a person
    leads the conversation, no reply is waited for.
    """

    kind: StepKind
    texts: tuple[str, ...] = ()
    gaps_s: tuple[float, ...] = ()
    expects: tuple[str, ...] = ()
    overtaken_by: StepKind | None = None
    delay_s: float = 0.0
    silent: bool = False

    @property
    def is_turn(self) -> bool:
        """Whether it opens a turn."""
        return self.kind in ("say", "photo")


class Script(Model):
    """One conversation."""

    tenant_id: str
    channel: ChannelName
    steps: tuple[Step, ...]


class PlannedFault(Model):
    """A fault armed when the ``at_turn``-th turn begins. ``scope`` is the shop that suffers it."""

    at_turn: int
    service: str
    kind: str
    tenant_id: str
    value: float | None = None
    times: int = 1


class PlannedKill(Model):
    """A process killed soon after the ``at_turn``-th turn begins, and started again ``down_s`` later."""

    at_turn: int
    victim: Victim
    moment: Moment
    down_s: float
    # Which of several equal processes, when the moment does not say.
    pick: int = 0


class Plan(Model):
    """Everything that follows from the seed."""

    seed: int
    scripts: tuple[Script, ...]
    faults: tuple[PlannedFault, ...]
    kills: tuple[PlannedKill, ...]

    @property
    def turns(self) -> int:
        """How many turns are planned."""
        return sum(step.is_turn for script in self.scripts for step in script.steps)


def make_plan(seed: int, turns: int, kills: int, tenants: Sequence[str], *, with_drop: bool) -> Plan:
    """Plan a run of ``turns`` turns."""
    # Not for secrets: the same seed must say the same.
    rng = random.Random(seed)  # noqa: S311
    scripts: list[Script] = []
    left = turns
    while left > 0:
        script = _script(rng, rng.choice(tenants), left)
        scripts.append(script)
        left -= sum(step.is_turn for step in script.steps)
    faults = tuple(_fault(rng, turns, tenants, with_drop) for _ in range(turns // _TURNS_PER_FAULT))
    return Plan(
        seed=seed,
        scripts=tuple(scripts),
        faults=tuple(sorted(faults, key=lambda fault: fault.at_turn)),
        kills=_kills(rng, turns, kills),
    )


def _fault(rng: random.Random, turns: int, tenants: Sequence[str], with_drop: bool) -> PlannedFault:
    service, kind, longest, most = rng.choice((*_FAULTS, DROP) if with_drop else _FAULTS)
    return PlannedFault(
        at_turn=rng.randint(1, turns),
        service=service,
        kind=kind,
        tenant_id=rng.choice(tenants),
        value=None if longest is None else round(rng.uniform(0.2, 1.0) * longest, 2),
        times=rng.randint(1, most),
    )


def _kills(rng: random.Random, turns: int, kills: int) -> tuple[PlannedKill, ...]:
    """Spread them evenly: two kills at one moment would count as one."""
    return tuple(
        PlannedKill(
            at_turn=max(1, round((n + rng.random() * 0.5) * turns / max(kills, 1))),
            victim=victim,
            moment=moment,
            down_s=round(rng.uniform(0.05, 0.8), 2),
            pick=rng.randrange(1000),
        )
        for n, (victim, moment) in enumerate(_dealt(rng, kills))
    )


def _dealt(rng: random.Random, kills: int) -> list[tuple[Victim, Moment]]:
    """Deal what is killed where from shuffled packs, so that a short run too has something of everything."""
    dealt: list[tuple[Victim, Moment]] = []
    while len(dealt) < kills:
        moments: dict[Victim, Sequence[Moment]] = {
            "worker": WORKER_MOMENTS * 2,
            "edge": EDGE_MOMENTS,
            "postgres": rng.sample(POSTGRES_MOMENTS, 2),
        }
        pack: list[tuple[Victim, Moment]] = []
        for victim, each in moments.items():
            pack.extend((victim, moment) for moment in each)
        rng.shuffle(pack)
        dealt += pack
    return dealt[:kills]


# Questions every one of the three shops can answer, and what only the right answer says.
_QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("¿Cuál es el horario de atención?", ("Lunes", "lunes")),
    ("¿Dónde quedan?", ("Providencia", "Condell", "Alemania")),
    ("¿Qué medios de pago aceptan?", ("Webpay", "débito")),
    ("¿Cuánto cuesta el envío?", ("$", "grat")),
    ("¿Cuál es la política de devoluciones?", ("devol", "Devol", "días")),
)
# Those the agent also understands behind a greeting; what it understands is not what is proven here.
_IN_BURSTS = (_QUESTIONS[0], _QUESTIONS[2])
_PRODUCTS: dict[str, tuple[str, ...]] = {
    "TENANT_DEMO": ("zapatillas", "botas", "sandalias"),
    "TENANT_RUT_77123456": ("poleras", "jeans", "vestidos"),
    "TENANT_RUT_78987654": ("audífonos", "notebooks", "teclados"),
}
# Whatever a sales turn may end with: the list, nothing found, or a person.
_SALES = ("CLP", "No encontré", "catálogo", "persona", "agente", "carrito")
_ANY: tuple[str, ...] = ()
_PERSON = "quiero hablar con una persona por favor"


def _script(rng: random.Random, tenant_id: str, most: int) -> Script:
    steps: list[Step] = []
    wanted = min(most, rng.randint(2, 5))
    while sum(step.is_turn for step in steps) < wanted:
        scene = _scene(rng, tenant_id, room=wanted - sum(step.is_turn for step in steps))
        if _asks_a_third_time((*steps, *scene)):
            continue
        steps += scene
        if any(step.overtaken_by or step.silent for step in steps) or steps[-1].texts == (_PERSON,):
            break
    channel: ChannelName = rng.choices(("whatsapp", "webwidget"), weights=(3, 1))[0]
    return Script(tenant_id=tenant_id, channel=channel, steps=tuple(steps))


def _asks_a_third_time(steps: Sequence[Step]) -> bool:
    """Tell whether a question comes up so often that its asker is rightly given to a person, and not answered."""
    said = Counter(text for step in steps for text in step.texts)
    return any(said[text] > 2 for text, _ in _QUESTIONS)


def _scene(rng: random.Random, tenant_id: str, room: int) -> list[Step]:
    scenes = ("question", "burst", "sale", "person", "human", "overtaken", "photo")
    scene = rng.choices(scenes, weights=(44, 26, 12, 4, 6, 7, 1))[0]
    if scene == "burst":
        return [_burst(rng, tenant_id)]
    if scene == "sale" and room >= 2:
        asked = rng.choice(_PRODUCTS.get(tenant_id, _PRODUCTS["TENANT_DEMO"]))
        return [Step(kind="say", texts=(f"¿Tienen {asked}?",), expects=_SALES), Step(kind="say", texts=("sí",))]
    if scene == "human" and room >= 2:
        return _human(rng, room)
    # What ends a conversation comes last in it.
    last = {"person": Step(kind="say", texts=(_PERSON,)), "overtaken": _overtaken(rng)}
    if room == 1 and scene in last:
        return [last[scene]]
    return [Step(kind="photo", texts=("¿Tiene garantía?",)) if scene == "photo" else _ask(rng)]


def _burst(rng: random.Random, tenant_id: str) -> Step:
    """Fragments as people write them: up to a good second apart, the question last."""
    text, expects = rng.choice(_IN_BURSTS)
    asked = rng.choice(_PRODUCTS.get(tenant_id, _PRODUCTS["TENANT_DEMO"]))
    texts, expects = rng.choice(
        (
            (("hola", text), expects),
            (("hola", "una consulta", text), expects),
            (("hola", "tienen", f"{asked}?"), _SALES),
            (("buenas tardes", "una pregunta"), _ANY),
        )
    )
    gaps = tuple(round(rng.uniform(0.15, 1.2), 2) for _ in texts[1:])
    return Step(kind="say", texts=texts, gaps_s=gaps, expects=expects)


def lure(rng: random.Random, tenant_id: str, moment: Moment) -> Step:
    """Plan a turn that passes a moment for certain, for when the plan's own turns do not bring it about."""
    if moment == "hand_over":
        return Step(kind="say", texts=(_PERSON,))
    if moment == "call_tools":
        asked = rng.choice(_PRODUCTS.get(tenant_id, _PRODUCTS["TENANT_DEMO"]))
        return Step(kind="say", texts=(f"¿Tienen {asked}?",), expects=_SALES)
    return _ask(rng)


def _human(rng: random.Random, room: int) -> list[Step]:
    """A person answers or takes the conversation; the customer writes on; perhaps the bot gets it back."""
    sign = Step(kind=rng.choice(("human_reply", "assign", "open")), texts=("Hola, le atiende Paula.",))
    written = Step(kind="say", texts=("gracias, ¿y el despacho?",), silent=True)
    if room < 3 or rng.random() < 0.5:
        return [_ask(rng), sign, written]
    return [_ask(rng), sign, Step(kind="bot_again"), _ask(rng)]


def _ask(rng: random.Random) -> Step:
    text, expects = rng.choice(_QUESTIONS)
    return Step(kind="say", texts=(text,), expects=expects)


def _overtaken(rng: random.Random) -> Step:
    step = _ask(rng)
    overtaken_by: StepKind = rng.choice(("human_reply", "assign", "open"))
    return step.model_copy(update={"overtaken_by": overtaken_by, "delay_s": round(rng.uniform(0.02, 0.4), 3)})
