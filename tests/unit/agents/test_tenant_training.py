"""A tenant teaches its agent: at once, only itself, only for the better, and with a way back."""

from __future__ import annotations

import gc
import weakref

import pytest
from tests.unit.agents.talk import small_knowledge_base

from smarteros.agents.native import NativeAgent
from smarteros.agents.training.memory import MemoryExampleStore
from smarteros.agents.training.tenant_models import TenantModels
from smarteros.agents.training.titles import titles_of
from smarteros.agents.training.trainer import Trainer
from smarteros.domain.decisions import AgentContext, AgentMessage, AgentRequest, Decision, Intent
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import LabelledExample, ModelReport
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import TenantScope
from smarteros.embedders.loading import Embedders
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore

ISLAND, VALLEY = TenantScope(tenant_id="TENANT_ISLAND"), TenantScope(tenant_id="TENANT_VALLEY")
BOAT = ("¿hacen flete con la lancha?", "sale lancha hoy con pedidos", "me lo pueden mandar en la lancha del jueves")


def taught(intent: Intent, *texts: str) -> list[LabelledExample]:
    return [LabelledExample(text=text, intent=intent) for text in texts]


class Classroom:
    """An agent over a store of examples, and a trainer beside it as another process would have it."""

    def __init__(self, embedders: Embedders | None) -> None:
        self.store = MemoryExampleStore()
        self.knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
        self.agent = NativeAgent(self.knowledge, embedders=embedders, examples=self.store)
        self.trainer = Trainer(self.store, self.agent.shared_model)

    def ask(self, scope: TenantScope, text: str) -> Decision:
        self.agent.prepare(scope.tenant_id)
        return self.agent.decide(
            AgentRequest(
                tenant_id=scope.tenant_id,
                channel="whatsapp",
                conversation_id=1,
                contact=Contact(id=1),
                message=AgentMessage(id=1, content=text),
                context=AgentContext(),
            )
        )


@pytest.fixture(scope="module", params=["words", "full"])
def classroom(request: pytest.FixtureRequest, embedders: Embedders) -> Classroom:
    return Classroom(embedders if request.param == "full" else None)


@pytest.fixture(autouse=True)
def forget(classroom: Classroom) -> None:
    """Let every test begin with tenants that taught nothing."""
    for scope in (ISLAND, VALLEY):
        classroom.store.publish(
            scope, (), ModelReport(before=1, after=1), note="", revision=classroom.store.revision(scope)
        )


def test_what_a_tenant_adds_is_understood_in_the_next_message(classroom: Classroom):
    question = "¿la lancha de mañana lleva pedidos?"
    before = classroom.ask(ISLAND, question)
    version = classroom.trainer.add(ISLAND, taught("faq_shipping", *BOAT))
    after = classroom.ask(ISLAND, question)
    assert after.intent == "faq_shipping"
    assert after.confidence > max(0.6, before.confidence if before.intent == "faq_shipping" else 0)
    assert version.active


def test_a_model_in_use_learns_of_a_change_without_being_prepared(classroom: Classroom):
    knowledge, store = small_knowledge_base(), classroom.store
    clock = iter(range(0, 1000, 10))
    models = TenantModels(store, titles_of(knowledge), monotonic=lambda: next(clock))
    shared = classroom.agent.shared_model()
    before = models.of(ISLAND, shared)
    classroom.trainer.add(ISLAND, taught("faq_shipping", *BOAT))
    quick = models.of(ISLAND, shared)
    assert quick is not before
    models.wait_until_improved()
    better = models.of(ISLAND, shared)
    assert better.encoders == shared.encoders


def test_two_tenants_with_contradicting_examples_never_mix(classroom: Classroom):
    texts = ("¿tienen el especial del patrón?", "quiero el especial del patrón", "cuánto sale el especial del patrón")
    classroom.trainer.add(ISLAND, taught("product_query", *texts))
    classroom.trainer.add(VALLEY, taught("complaint", *texts))
    for text in (*texts, "¿hay especial del patrón hoy?"):
        assert classroom.ask(ISLAND, text).intent == "product_query"
        assert classroom.ask(VALLEY, text).intent == "complaint"


def test_a_tenants_own_label_of_a_shared_example_counts_for_it_alone(classroom: Classroom):
    text = "¿hasta qué hora atienden hoy?"
    common = classroom.ask(VALLEY, text).intent
    classroom.trainer.add(ISLAND, taught("faq_contact", text, "¿hasta qué hora atienden el whatsapp?"))
    assert classroom.ask(ISLAND, text).intent == "faq_contact"
    assert classroom.ask(ISLAND, text).confidence > 0.9
    assert classroom.ask(VALLEY, text).intent == common != "faq_contact"


def test_examples_that_would_spoil_the_rest_are_refused_and_nothing_changes(classroom: Classroom):
    classroom.trainer.add(ISLAND, taught("faq_shipping", *BOAT))
    known = classroom.agent.shared_model()
    wrong = [LabelledExample(text=text, intent="complaint") for text in spoiling()]
    with pytest.raises(RejectedInputError, match="understood"):
        classroom.trainer.add(ISLAND, wrong)
    active = classroom.store.active(ISLAND)
    assert active is not None
    assert len(active.examples) == len(BOAT)
    assert classroom.agent.shared_model() is known


def spoiling() -> list[str]:
    """Ordinary questions about products, prices and opening hours, some two hundred."""
    things = [
        "zapatillas",
        "poleras",
        "botas",
        "chaquetas",
        "notebooks",
        "audífonos",
        "mochilas",
        "jeans",
        "sandalias",
        "gorros",
    ]
    asked = [
        "tienen {}",
        "busco {}",
        "venden {}",
        "precio de {}",
        "cuánto cuestan las {}",
        "hay {} en oferta",
        "quiero ver {}",
        "me interesan {}",
        "qué {} hay",
        "{} baratas",
        "stock de {}",
        "llegaron {}",
        "qué valor tienen los {}",
        "necesito {} para regalo",
        "{} talla M",
        "{} de hombre",
        "{} de mujer",
        "{} negras",
        "muéstrame {}",
        "y {}?",
    ]
    return [frame.format(thing) for thing in things for frame in asked]


def test_a_tenant_can_go_back(classroom: Classroom):
    first = classroom.trainer.add(ISLAND, taught("faq_shipping", *BOAT))
    classroom.trainer.add(ISLAND, taught("human_request", *BOAT))
    assert classroom.ask(ISLAND, BOAT[0]).intent == "human_request"
    back = classroom.trainer.rollback(ISLAND)
    assert back.version == first.version
    assert classroom.ask(ISLAND, BOAT[0]).intent == "faq_shipping"


def test_an_example_given_again_gets_the_new_meaning(classroom: Classroom):
    classroom.trainer.add(ISLAND, taught("faq_shipping", BOAT[0]))
    version = classroom.trainer.add(ISLAND, taught("faq_hours", BOAT[0].upper()))
    assert [example.intent for example in version.examples] == ["faq_hours"]


def test_an_example_can_be_removed_and_one_that_is_not_there_cannot(classroom: Classroom):
    classroom.trainer.add(ISLAND, taught("faq_shipping", *BOAT))
    assert len(classroom.trainer.remove(ISLAND, [BOAT[0]]).examples) == len(BOAT) - 1
    with pytest.raises(RejectedInputError, match="no example"):
        classroom.trainer.remove(ISLAND, ["nunca dicho"])


def test_more_examples_than_a_tenant_may_have_are_refused(classroom: Classroom):
    many = taught("faq_shipping", *(f"lancha número {number}" for number in range(1_001)))
    with pytest.raises(RejectedInputError, match="1001 examples"):
        classroom.trainer.add(ISLAND, many)


def test_the_titles_of_a_tenants_passages_are_examples_too():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    text = "---\ncategory: envios\n---\n# Despacho\n## ¿Sale la lancha del Piloto Pardo?\nSale los jueves.\n"
    knowledge.replace(ISLAND, (parse_markdown("d.md", text),))
    titles = titles_of(knowledge)
    assert [(each.text, each.intent) for each in titles(ISLAND)] == [
        ("¿Sale la lancha del Piloto Pardo?", "faq_shipping")
    ]
    assert titles(VALLEY) == ()


def test_only_the_tenants_asked_last_are_kept(classroom: Classroom):
    models = TenantModels(classroom.store, titles_of(classroom.knowledge), most_tenants=2)
    shared = classroom.agent.shared_model()
    classroom.trainer.add(ISLAND, taught("faq_shipping", *BOAT))
    first = weakref.ref(models.of(ISLAND, shared))
    models.of(VALLEY, shared)
    assert first() is not None
    models.of(TenantScope(tenant_id="TENANT_HILL"), shared)
    models.wait_until_improved()
    gc.collect()
    assert first() is None
