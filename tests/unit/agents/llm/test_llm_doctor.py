"""What ``smos doctor`` and ``smos tenant add`` say of a language model and its key, and where it must not be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.support import MemorySecrets
from tests.unit.agents.llm.providers import Provider, provider_server
from tests.unit.agents.talk import SCOPE

from smarteros.agents.llm.pydantic_ai_model import PydanticAiModel, provider_model
from smarteros.doctor.examination import Finding, examine
from smarteros.doctor.keys import LlmExamination
from smarteros.domain.llm import LlmSettings
from smarteros.domain.tenants import Tenant
from smarteros.kit.addresses import AddressGuard

pytestmark = pytest.mark.usefixtures("libraries")
KEY = "sk-canary-of-the-model"
Says = Callable[[PydanticAiModel | None], Finding]


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with provider_server() as opened:
        yield opened


@pytest.fixture
def provider(server: Provider) -> Provider:
    server.output, server.status, server.received = {"ready": True}, 200, []
    return server


@pytest.fixture
def says(provider: Provider) -> Iterator[Says]:
    ours = PydanticAiModel()
    llm = LlmSettings(provider="openai", model="house-model", base_url=f"{provider.url}/v1", monthly_tokens=1000)
    tenant = Tenant(
        tenant_id=SCOPE.tenant_id,
        name="Tienda",
        rut="76123456-0",
        tenant_key="k" * 24,
        chatwoot_url="https://chat.example",
        chatwoot_account_ids=(1,),
        llm=llm,
    )
    secrets = MemorySecrets({(SCOPE.tenant_id, "llm/api_key"): KEY})

    def look(model: PydanticAiModel | None = None) -> Finding:
        (found,) = examine([LlmExamination(secrets, model or ours).group()], tenant)
        return found

    yield look
    ours.close()


def test_a_model_that_answers_is_asked_once_and_shortly(says: Says, provider: Provider) -> None:
    found = says(None)
    assert (found.check, found.status) == ("llm.key", "ok")
    (asked,) = provider.received
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert 50 in (asked.body.get("max_tokens"), asked.body.get("max_completion_tokens"))


@pytest.mark.parametrize(("status", "code"), [(401, "llm_refused"), (503, "llm_unavailable")])
def test_a_model_that_does_not_answer_fails_without_showing_its_key(
    says: Says, provider: Provider, status: int, code: str
) -> None:
    provider.status = status
    found = says(None)
    assert (found.status, found.said.partition(":")[0]) == ("failed", code)
    assert found.remedy is not None
    assert KEY not in str(found)


def test_a_model_that_knows_no_schema_is_a_warning(says: Says, provider: Provider) -> None:
    provider.output = "I am ready!"
    assert says(None).status == "warning"


def test_a_model_in_our_own_network_gets_not_one_byte_unless_its_host_is_listed(says: Says, provider: Provider) -> None:
    for listed, status in ((frozenset[str](), "failed"), (frozenset({"127.0.0.1"}), "ok")):
        guard = AddressGuard(listed)
        model = PydanticAiModel(lambda settings, key, guard=guard: provider_model(settings, key, guard))
        assert says(model).status == status
        model.close()
        assert len(provider.received) == (status == "ok")
