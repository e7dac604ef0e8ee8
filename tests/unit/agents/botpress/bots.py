"""Shops' bots behind the stand-in, and the agent that asks them; the embedded brain is the small shop's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.support import MemorySecrets, serving
from tests.unit.agents.llm.brains import contracts, patient, request, small_shop
from tests.unit.agents.talk import SCOPE

from smarteros.agents.botpress.agent import BotpressAgent
from smarteros.agents.botpress.client import HttpBots
from smarteros.agents.botpress.protocol import Bots as BotsProtocol
from smarteros.agents.llm.memory_ledger import MemoryLlmLedger
from smarteros.agents.protocol import Agent
from smarteros.contracts.loader import ContractSet
from smarteros.domain.botpress import BOT_KEY_PATH, BotpressDialect, BotpressSettings
from smarteros.domain.decisions import Decision
from smarteros.kit.http import HttpClient
from smarteros_sandbox.botpress import SandboxBot, create_botpress_app
from smarteros_sandbox.faults import Faults

Json = dict[str, Any]
KEY = "key-of-the-shops-bot-which-nobody-may-see"
Door = tuple[BotpressDialect, Literal["with a key", "open"]]
DOORS: tuple[Door, ...] = (
    ("cloud", "with a key"),
    ("cloud", "open"),
    ("v12", "with a key"),
    ("v12", "open"),
)


def shipping(**changes: Any) -> Json:
    """An answer of the contract that the embedded brain would not give to a greeting."""
    answer = {"intent": "faq_shipping", "confidence": 0.93, "route": "kb_direct", "entities": {}, "actions": []}
    return {**answer, "reply": "Sí, despachamos.", **changes}


@dataclass
class Bots:
    """The stand-in with a bot that has a key and one that has none; both say the same."""

    says: Callable[[Json], Json | str] = lambda _asked: shipping()
    asked: list[Json] = field(default_factory=list[Json])
    faults: Faults = field(default_factory=Faults)
    http: HttpClient = field(default_factory=HttpClient)
    url: str = ""

    def answer(self, asked: Json) -> Json | str:
        self.asked.append(asked)
        return self.says(asked)

    def forget(self) -> None:
        """Be as new."""
        self.says = lambda _asked: shipping()
        self.asked.clear()
        self.faults.clear()

    def settings(self, door: Door, **changes: Any) -> BotpressSettings:
        dialect, opened = door
        bot = "bot-keyed" if opened == "with a key" else "bot-open"
        return BotpressSettings.model_validate(
            {"dialect": dialect, "url": self.url, "bot": bot, "timeout_ms": 20_000, **changes}
        )


@contextmanager
def bots_serving() -> Iterator[Bots]:
    bots = Bots()
    served = [
        SandboxBot(SCOPE.tenant_id, "bot-keyed", KEY, bots.answer),
        SandboxBot(SCOPE.tenant_id, "bot-open", None, bots.answer),
    ]
    with serving(create_botpress_app(served, bots.faults)) as url:
        bots.url = url
        yield bots
    bots.http.close()


def wait_a_moment(_seconds: float) -> None:
    """Give the bot, which answers from another thread, its turn."""
    threading.Event().wait(0.01)


@dataclass
class Brain:
    """The agent under test and what stands around it."""

    agent: BotpressAgent
    ledger: MemoryLlmLedger

    def ask(self, text: str, *, message_id: int = 1, **more: Any) -> Decision:
        return self.agent.decide(request(text, message_id=message_id, **more))

    def outcome(self, message_id: int = 1, conversation_id: int = 7) -> str | None:
        """What became of the question about a message; None when the bot was not asked."""
        calls = self.ledger.calls(SCOPE, conversation_id, message_id)
        return calls[-1].outcome if calls else None


def brain(
    bots: Bots,
    settings: BotpressSettings | None,
    *,
    key: str = KEY,
    native: Agent | None = None,
    asks: BotsProtocol | None = None,
    in_force: ContractSet | None = None,
    **options: Any,
) -> Brain:
    """Put a brain together; a bot without a key is asked without one."""
    ledger = MemoryLlmLedger()
    keyed = settings is not None and settings.bot == "bot-keyed"
    agent = BotpressAgent(
        native or small_shop(),
        lambda _tenant_id: settings,
        asks or HttpBots(bots.http, wait_a_moment),
        ledger,
        MemorySecrets({(SCOPE.tenant_id, BOT_KEY_PATH): key} if keyed else {}),
        in_force or patient(contracts()),
        **options,
    )
    return Brain(agent, ledger)
