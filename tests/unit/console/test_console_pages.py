"""Who sees which page of the console, and what is on it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from tests.unit.console.conftest import HATS, NOON, SHOES, World, shop
from tests.unit.console.seeds import ANSWER, QUESTION, seed_many, seed_turn

from smarteros.console.permissions import ROLES_WITH, Permission
from smarteros.console.texts import texts
from smarteros.domain.decisions import ROUTE_OF_INTENT
from smarteros.domain.gaps import Gap
from smarteros.domain.knowledge import Document
from smarteros.domain.messages import Desk
from smarteros.domain.people import ROLES, Role
from smarteros.domain.tenants import Move, TenantScope
from smarteros.domain.turns import STEP_NAMES, TurnRecord
from smarteros.domain.upkeep import IMPORT, TextChange
from smarteros.store.audit import list_events
from smarteros.store.audit_chain import seal_chains
from smarteros.store.gaps import list_gaps, note_gap
from smarteros.store.moves import freeze
from smarteros.store.turns import muted_reason
from smarteros.store.upkeep import replace_questions

# What each page needs; a role without it gets 403. ``{turn}`` and ``{talk}`` are of SHOES.
PAGES: dict[str, Permission] = {
    "/console/conversations": "read_conversations",
    "/console/conversations/rows": "read_conversations",
    "/console/conversations/{talk}": "read_conversations",
    "/console/turns/{turn}": "read_conversations",
    "/console/alerts": "read_alerts",
    "/console/tenants": "read_tenants",
    "/console/promises": "read_tenants",
    f"/console/promises/{SHOES}/bars": "read_tenants",
    "/console/knowledge": "read_knowledge",
    f"/console/knowledge/{SHOES}/search?q=horario": "read_knowledge",
    "/console/contracts": "read_contracts",
    "/console/contracts/e2e_faq_quick": "read_contracts",
    "/console/audit": "read_audit",
    "/console/audit/chain": "read_audit",
    "/console/people": "manage_people",
}
ACTS: dict[str, Permission] = {
    "/console/conversations/{talk}/mute": "steer_conversations",
    "/console/conversations/{talk}/give-back": "steer_conversations",
    "/console/conversations/{talk}/hand-over": "steer_conversations",
    "/console/turns/{turn}/retry": "steer_conversations",
    "/console/turns/{turn}/again": "read_conversations",
    f"/console/knowledge/{SHOES}/draft": "write_knowledge",
    f"/console/knowledge/{SHOES}/publish": "write_knowledge",
    f"/console/knowledge/{SHOES}/discard": "write_knowledge",
    f"/console/knowledge/{SHOES}/forget": "write_knowledge",
    f"/console/knowledge/{SHOES}/activate": "write_knowledge",
    f"/console/knowledge/{SHOES}/refuse": "write_knowledge",
    "/console/alerts/silence": "silence_alerts",
    "/console/alerts/unsilence": "silence_alerts",
    "/console/people/invite": "manage_people",
    "/console/people/reset": "manage_people",
    "/console/people/disable": "manage_people",
}
OWN_ROLES: tuple[tuple[Role, str | None], ...] = (
    ("operator", None), ("tenant_admin", SHOES), ("agent", SHOES), ("auditor", None), ("auditor", SHOES),
)  # fmt: skip


@pytest.fixture(scope="module")
def turn(running: World) -> TurnRecord:
    """A turn of the shoe shop."""
    parts = running.parts
    return seed_turn(parts.database, parts.tenants.get(SHOES), parts.contracts, NOON - timedelta(minutes=5))


def at(path: str, turn: TurnRecord) -> str:
    return path.format(turn=turn.turn_id, talk=f"{turn.tenant_id}/{turn.conversation_id}")


@pytest.mark.parametrize(("role", "tenant"), OWN_ROLES)
def test_a_role_sees_the_pages_it_may_see_and_no_others(
    world: World, turn: TurnRecord, role: Role, tenant: str | None
) -> None:
    browser = world.signed_in(role, tenant)

    seen = {page: browser.get(at(page, turn)).status_code for page in PAGES}

    assert seen == {page: 200 if role in ROLES_WITH[needed] else 403 for page, needed in PAGES.items()}


@pytest.mark.parametrize(("role", "tenant"), OWN_ROLES)
def test_a_role_does_what_it_may_do_and_nothing_else(
    world: World, turn: TurnRecord, role: Role, tenant: str | None
) -> None:
    browser = world.signed_in(role, tenant)
    csrf = browser.csrf("/console/settings")

    refused = {act for act in ACTS if browser.http.post(at(act, turn), data={"csrf": csrf}).status_code == 403}

    assert refused == {act for act, needed in ACTS.items() if role not in ROLES_WITH[needed]}


@pytest.mark.parametrize("path", [*PAGES, "/console/settings", "/console/conversations/live"])
def test_nobody_who_is_not_signed_in_sees_a_page(world: World, turn: TurnRecord, path: str) -> None:
    answer = world.browser().get(at(path, turn))

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize("path", ACTS)
def test_no_act_works_without_the_forms_token(world: World, turn: TurnRecord, path: str) -> None:
    assert world.signed_in("operator").http.post(at(path, turn)).status_code == 403


@pytest.mark.parametrize(("role", "tenant"), [("tenant_admin", HATS), ("agent", HATS), ("auditor", HATS)])
def test_what_belongs_to_another_tenant_is_not_there(world: World, turn: TurnRecord, role: Role, tenant: str) -> None:
    browser = world.signed_in(role, tenant)
    csrf = browser.csrf("/console/settings")
    readable = [page for page, needed in PAGES.items() if role in ROLES_WITH[needed]]
    foreign = [page for page in readable if "{" in page or SHOES in page]
    foreign += [f"/console/conversations?tenant={SHOES}", f"/console/knowledge?tenant={SHOES}"]
    if role != "agent":
        foreign += [f"/console/audit?tenant={SHOES}", "/console/audit?tenant=-", f"/console/audit/chain?tenant={SHOES}"]
        foreign += [f"/console/alerts?tenant={SHOES}", "/console/alerts?tenant=-", f"/console/promises?tenant={SHOES}"]

    assert {browser.get(at(page, turn)).status_code for page in foreign if "tenant=-" not in page} == {404}
    answers = {browser.http.post(at(act, turn), data={"csrf": csrf}).status_code for act in ACTS}
    assert answers <= {403, 404}
    assert QUESTION not in browser.get("/console/conversations").text
    assert ANSWER not in str([browser.get(at(page, turn)).text for page in foreign])


@pytest.mark.parametrize(
    "path",
    [
        "/console/turns/x", "/console/turns/:::", "/console/turns/CONSOLE_SHOES:1:999999999999",
        f"/console/conversations/{SHOES}/99999999999999999999999", f"/console/conversations/{SHOES}/-1",
        f"/console/conversations/{SHOES}/77",
        "/console/conversations/'--/1", "/console/contracts/%2e%2e%2f%2e%2e%2fetc",
        "/console/static/..%2f..%2fparts.py", "/console/nowhere", f"/console/knowledge/{HATS}%00/search",
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere_says_so(world: World, path: str) -> None:
    answer = world.signed_in("operator").get(path)

    assert answer.status_code == 404
    assert "Aquí no hay nada" in answer.text


def test_the_list_tells_state_words_and_steps_of_a_conversation(world: World, turn: TurnRecord) -> None:
    page = world.signed_in("agent", SHOES).get("/console/conversations").text

    assert QUESTION in page
    assert "Sí: Zapatilla Running Azul" in page
    assert "hace 5 min" in page
    assert all(f"step-{step}" in page for step in STEP_NAMES)


def test_the_list_is_read_page_by_page_without_gap_or_repetition(world: World) -> None:
    parts = world.parts
    tenant = shop("CONSOLE_MANY", 9)
    parts.tenants.save(tenant)
    seed_many(parts.database, tenant, 10_000, NOON)
    browser, path = world.signed_in("agent", "CONSOLE_MANY"), "/console/conversations"

    seen: list[int] = []
    for _ in range(3):
        page = browser.get(path).text
        seen += [int(part.split('"')[0]) for part in page.split('href="/console/conversations/CONSOLE_MANY/')[1:]]
        path = "/console/conversations?" + page.split('class="button" href="/console/conversations?')[1].split('"')[0]

    assert seen == list(range(10_000, 9850, -1))
    with parts.database.tenant(tenant.scope) as connection:
        plan = connection.execute(
            sa.text(
                "EXPLAIN SELECT * FROM smos.conversations c WHERE c.tenant_id = 'CONSOLE_MANY'"
                " ORDER BY c.updated_at DESC, c.conversation_id DESC LIMIT 51"
            )
        ).scalars()
        assert "conversations_by_age" in "\n".join(plan)


def test_filters_find_by_state_and_words(world: World, turn: TurnRecord) -> None:
    parts = world.parts
    odd = seed_turn(parts.database, parts.tenants.get(SHOES), parts.contracts, NOON, text="100% cuero_legítimo <b>")
    browser = world.signed_in("operator")
    browser.post(f"/console/conversations/{SHOES}/{odd.conversation_id}/mute")

    def found(query: str) -> tuple[bool, bool]:
        page = browser.get(f"/console/conversations?tenant={SHOES}&{query}").text
        return QUESTION in page, "100% cuero_legítimo &lt;b&gt;" in page

    assert found("state=human") == (False, True)
    assert found("state=bot") == (True, False)
    assert found("q=100%25") == (False, True)
    assert found(f"q={turn.conversation_id}") == (True, False)
    assert found("state=nonsense&after=nonsense~x&q=%00") == (True, True)


def test_whoever_steers_a_conversation_of_a_shop_that_has_moved_is_told_where_it_lives(world: World) -> None:
    parts, moved = world.parts, shop("CONSOLE_MOVED", 70)
    parts.tenants.save(moved)
    left = seed_turn(parts.database, moved, parts.contracts, NOON)
    parts.tenants.save(moved.model_copy(update={"move": Move(to="https://suyo.example.cl", done=True)}), moving=True)
    owner = sa.create_engine(parts.database.owner_url, poolclass=sa.NullPool)
    with owner.begin() as connection:
        freeze(connection, "conversations", moved.tenant_id)

    refused = world.signed_in("operator").post(f"/console/conversations/{moved.tenant_id}/{left.conversation_id}/mute")

    assert refused.status_code == 409
    assert "Esta tienda vive en otra instalación" in refused.text
    assert "CONSOLE_MOVED lives in https://suyo.example.cl" in refused.text


def test_a_turn_is_told_in_full(world: World, turn: TurnRecord) -> None:
    page = world.signed_in("agent", SHOES).get(f"/console/turns/{turn.turn_id}").text

    for told in (QUESTION, ANSWER, "93 % de confianza", "zapatillas", "shopify_search_products", "Tenemos de la 35"):
        assert told in page
    assert "310 ms" in page
    assert "Todo con fuente" in page
    assert "Intentar de nuevo" not in page, "it did not fail"


def test_a_turn_is_decided_again_on_demand(world: World, turn: TurnRecord) -> None:
    browser = world.signed_in("auditor", SHOES)

    assert "Hoy respondería lo mismo." in browser.post(f"/console/turns/{turn.turn_id}/again").text


def test_the_bot_is_silenced_and_given_the_conversation_back(world: World, turn: TurnRecord) -> None:
    browser, scope = world.signed_in("agent", SHOES), TenantScope(tenant_id=SHOES)
    here = f"/console/conversations/{SHOES}/{turn.conversation_id}"

    def reason() -> str | None:
        with world.parts.database.tenant(scope) as connection:
            return muted_reason(connection, SHOES, turn.conversation_id)

    browser.post(f"{here}/mute")
    assert reason() == "console"
    world.clock.instant += timedelta(seconds=1)
    browser.post(f"{here}/give-back")
    assert reason() is None
    with world.parts.database.tenant(scope) as connection:
        events = list_events(connection, SHOES, turn.conversation_id, 2)
    assert [event.kind for event in events] == ["console_muted", "console_given_back"]
    assert {event.details["role"] for event in events} == {"agent"}


def test_a_conversation_is_handed_over_in_the_channel(world: World, turn: TurnRecord) -> None:
    world.signed_in("agent", SHOES).post(
        f"/console/conversations/{SHOES}/{turn.conversation_id}/hand-over", reason="Cliente frecuente"
    )

    assert world.chatwoot.handed_over[-1] == (SHOES, turn.conversation_id)
    # As when a turn hands over: the contract's marks, and the turn in the note.
    assert "bot" in (world.chatwoot.desks[-1] or Desk()).labels
    assert "Cliente frecuente" in world.chatwoot.notes[-1]
    assert f"/console/turns/{turn.turn_id}" in world.chatwoot.notes[-1]


def test_a_failed_turn_nobody_has_read_is_tried_again_once(world: World) -> None:
    parts = world.parts
    failed = seed_turn(
        parts.database, parts.tenants.get(SHOES), parts.contracts, NOON, answer=None, outcome="failed", text="¿hola?"
    )
    browser = world.signed_in("agent", SHOES)
    assert "Intentar de nuevo" in browser.get(f"/console/turns/{failed.turn_id}").text

    browser.post(f"/console/turns/{failed.turn_id}/retry")

    with parts.database.tenant(TenantScope(tenant_id=SHOES)) as connection:
        waiting = connection.execute(
            sa.text("SELECT turn_id FROM smos.waiting_turns WHERE conversation_id = :id"),
            {"id": failed.conversation_id},
        ).scalars()
        assert [each.rpartition(":")[0] for each in waiting] == [f"{failed.turn_id}:retry"]
        connection.execute(sa.text("DELETE FROM smos.waiting_turns"))


def test_a_turn_whose_reply_may_be_in_the_channel_is_not_tried_again(world: World) -> None:
    parts = world.parts
    told = seed_turn(parts.database, parts.tenants.get(SHOES), parts.contracts, NOON, outcome="failed")

    assert world.signed_in("agent", SHOES).post(f"/console/turns/{told.turn_id}/retry").status_code == 422


def test_an_answer_is_written_published_and_found_and_its_question_is_gone(world: World) -> None:
    parts, scope = world.parts, TenantScope(tenant_id=HATS)
    gap = Gap(pattern="lavar sombrero", example="¿Cómo lavo mi sombrero?", reason="not_in_kb", intent="out_of_scope",
              confidence=0.4)  # fmt: skip
    with parts.database.tenant(scope) as connection:
        note_gap(connection, HATS, gap, NOON)
    browser, page = world.signed_in("tenant_admin", HATS), "/console/knowledge"
    assert gap.example in browser.get(page).text

    written = {"question": "¿Cómo se lava un sombrero?", "text": "Con un paño húmedo.", "category": "otros"}
    browser.post(f"{page}/{HATS}/draft", page, **written, language="es", example=gap.example)
    search = f"{page}/{HATS}/search?q=lavar+un+sombrero"
    assert "paño húmedo" not in browser.get(search).text, "a draft answers nobody"
    browser.post(f"{page}/{HATS}/publish", page, question=written["question"])

    assert "paño húmedo" in browser.get(search).text
    with parts.database.tenant(scope) as connection:
        assert list_gaps(connection, HATS) == []
    browser.post(f"{page}/{HATS}/discard", page, question=written["question"])
    assert "paño húmedo" not in browser.get(page).text


def test_imported_texts_stay_when_an_answer_is_written(world: World) -> None:
    parts, scope = world.parts, TenantScope(tenant_id=SHOES)
    parts.knowledge.replace(scope, (Document(name="a.md", title="Cambios", markdown="# Cambios\n\n## ¿?\n\nSí."),))

    world.signed_in("operator").post(
        f"/console/knowledge/{SHOES}/draft", question="¿Y?", text="Eso.", category="otros", language="es"
    )

    assert [document.name for document in parts.knowledge.documents(scope)] == ["a.md", "consola.json"]


def test_a_change_of_texts_that_waits_is_shown_with_what_it_changes_and_decided_about(world: World) -> None:
    parts, shop, page = world.parts, world.parts.tenants.get(HATS), "/console/knowledge"
    hours = Document(name="horarios.md", title="Horarios", markdown="# Horarios\n\n## ¿Cuándo abren?\n\nA las 10 h.")
    parts.knowledge.replace(shop.scope, (hours,))
    asked = {"question": "¿Cuándo abren?", "titles": ["¿Cuándo abren?"], "documents": [], "contains": []}
    with parts.database.tenant(shop.scope) as connection:
        replace_questions(connection, HATS, [asked])
    nothing = TextChange(origin=IMPORT, mode="all", documents=())
    browser = world.signed_in("tenant_admin", HATS)
    read = partial(browser.get, f"{page}/{HATS}/search?q=cuándo+abren")

    assert parts.upkeep.propose(shop, nothing).outcome == "waits"
    told = browser.get(page).text
    assert "Sin respuesta: 1" in told
    assert "Antes: A las 10 h." in told
    browser.post(f"{page}/{HATS}/refuse", page, origin=IMPORT)
    assert "A las 10 h." in read().text
    assert "Sin respuesta: 1" not in browser.get(page).text

    parts.upkeep.propose(shop, nothing)
    browser.post(f"{page}/{HATS}/activate", page, origin=IMPORT)
    assert "A las 10 h." not in read().text
    assert browser.post(f"{page}/{HATS}/activate", page, origin=IMPORT).status_code == 422

    audit = world.signed_in("tenant_admin", HATS).get("/console/audit").text
    assert audit.count("<td>Cambio de textos rechazado</td>") == audit.count("<td>Cambio de textos aprobado</td>") == 1
    with parts.database.tenant(shop.scope) as connection:
        decisions = [each for each in list_events(connection, HATS, None, 20) if "origin" in each.details]
    assert [(each.kind, each.details.get("role")) for each in decisions] == [
        ("kb_change_waits", None), ("kb_change_refused", "tenant_admin"),
        ("kb_change_waits", None), ("kb_change_approved", "tenant_admin"),
    ]  # fmt: skip


def test_the_audit_is_searched_and_its_chain_checked(world: World, turn: TurnRecord) -> None:
    browser = world.signed_in("auditor", SHOES)

    found = browser.get("/console/audit?kind=console_person_added").text
    assert "<td>Persona agregada</td>" in found
    assert "<td>Entró a la consola</td>" not in found
    owner = sa.create_engine(world.parts.database.owner_url, poolclass=sa.NullPool)
    assert SHOES not in seal_chains(owner, world.parts.seal)
    assert "Cadena íntegra" in browser.get(f"/console/audit/chain?tenant={SHOES}").text


def test_refused_sign_ins_are_in_the_installations_audit_for_who_sees_all(world: World) -> None:
    world.browser().sign_in("intruso@example.cl")

    assert "Entrada rechazada" in world.signed_in("operator").get("/console/audit?tenant=-").text


def test_hostile_text_is_never_markup(world: World) -> None:
    parts = world.parts
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ 7*7 }}"
    turn = seed_turn(parts.database, parts.tenants.get(HATS), parts.contracts, NOON, text=hostile, answer=hostile)
    browser = world.signed_in("agent", HATS)

    for path in (path for path, needed in PAGES.items() if needed == "read_conversations"):
        page = browser.get(at(path, turn)).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "{{ 7*7 }}" in page


def test_every_code_the_pages_show_has_words_in_both_languages() -> None:
    known = texts()

    assert all(both["es"] and both["en"] for both in known.values())
    assert {f"intent.{intent}" for intent in ROUTE_OF_INTENT} <= set(known)
    assert {f"role.{role}" for role in ROLES} <= set(known)
