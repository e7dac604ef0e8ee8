"""What ``smos doctor`` and ``smos tenant add`` say of a shop's own bot."""

from __future__ import annotations

import pytest
from tests.support import MemorySecrets
from tests.unit.agents.botpress.bots import KEY, Bots, Door, shipping, wait_a_moment
from tests.unit.agents.talk import SCOPE

from smarteros.agents.botpress.client import HttpBots
from smarteros.doctor.examination import Finding, examine
from smarteros.doctor.keys import BotpressExamination
from smarteros.domain.botpress import BOT_KEY_PATH
from smarteros.domain.decisions import AgentRequest
from smarteros.domain.tenants import Tenant


def found(bots: Bots, door: Door, key: str = KEY) -> Finding:
    tenant = Tenant(
        tenant_id=SCOPE.tenant_id,
        name="Tienda",
        rut="76123456-0",
        tenant_key="k" * 24,
        chatwoot_url="https://chat.example",
        chatwoot_account_ids=(1,),
        botpress=bots.settings(door),
    )
    secrets = MemorySecrets({(SCOPE.tenant_id, BOT_KEY_PATH): key} if door[1] == "with a key" else {})
    (finding,) = examine([BotpressExamination(secrets, HttpBots(bots.http, wait_a_moment)).group()], tenant)
    return finding


def test_a_bot_that_answers_by_the_contract_is_greeted_once(bots: Bots, door: Door) -> None:
    finding = found(bots, door)
    assert (finding.check, finding.status) == ("botpress.answer", "ok")
    (asked,) = bots.asked
    assert AgentRequest.model_validate(asked).message.content == "hola"


@pytest.mark.parametrize("said", ["Hola, ¿en qué te ayudo?", shipping(sql="x")], ids=["words", "another contract"])
def test_a_bot_that_answers_in_its_own_way_is_a_warning(bots: Bots, door: Door, said: str) -> None:
    bots.says = lambda _asked: said
    assert found(bots, door).status == "warning"


@pytest.mark.parametrize(
    ("fault", "key", "code"),
    [("http_500", KEY, "botpress_unavailable"), (None, "another-key-than-the-one-of-the-bot", "botpress_refused")],
)
@pytest.mark.parametrize("dialect", ["cloud", "v12"])
def test_a_bot_that_does_not_answer_fails_without_showing_its_key(
    bots: Bots, dialect: str, fault: str | None, key: str, code: str
) -> None:
    if fault is not None:
        bots.faults.set("botpress", fault)
    door: Door = ("cloud", "with a key") if dialect == "cloud" else ("v12", "with a key")
    finding = found(bots, door, key)
    assert (finding.status, finding.said.partition(":")[0]) == ("failed", code)
    assert "docs/botpress.md" in (finding.remedy or "")
    assert key not in str(finding)
