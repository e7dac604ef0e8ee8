"""``/api/v1/accounts/{account_id}/conversations``."""

from __future__ import annotations

from starlette.responses import Response

from smarteros_sandbox.chatwoot.attributes import check_custom_attributes
from smarteros_sandbox.chatwoot.errors import not_found, refused
from smarteros_sandbox.chatwoot.http.answers import answer_json
from smarteros_sandbox.chatwoot.http.routing import Access, Call, RouteSpec, ok
from smarteros_sandbox.chatwoot.messages import Draft
from smarteros_sandbox.chatwoot.records import (
    PRIORITIES,
    STATUSES,
    AgentBot,
    ContactInbox,
    Conversation,
    User,
)
from smarteros_sandbox.chatwoot.shapes import api
from smarteros_sandbox.chatwoot.values import as_object, as_text

PAGE = 25
END_OF_TIME = 253_402_300_800  # the year 10000, beyond which no date can be written
ORDERS = {
    "created_at_asc": ("created_at", False),
    "created_at_desc": ("created_at", True),
    "last_activity_at_asc": ("last_activity_at", False),
    "last_activity_at_desc": ("last_activity_at", True),
}
TOGGLED = {"open": "resolved", "resolved": "open", "pending": "open", "snoozed": "open"}


async def index(call: Call) -> Response:
    """Newest activity first, 25 a page; with ``updated_within`` all of them (conversation_finder.rb)."""
    params = call.params
    found = _by_filters(call)
    counts = {
        "mine_count": sum(row.assignee_id == call.actor.id for row in found),
        "assigned_count": sum(row.assignee_id is not None for row in found),
        "unassigned_count": sum(row.assignee_id is None for row in found),
        "all_count": len(found),
    }
    match params.text("assignee_type"):
        case "me":
            found = [row for row in found if row.assignee_id == call.actor.id]
        case "assigned":
            found = [row for row in found if row.assignee_id is not None]
        case "unassigned":
            found = [row for row in found if row.assignee_id is None]
        case _:
            pass
    column, descending = ORDERS.get(params.text("sort_by") or "", ("last_activity_at", True))
    found.sort(key=lambda row: (getattr(row, column), row.id), reverse=descending)
    if params.integer("updated_within") is None:
        page = max(params.integer("page") or 1, 1)
        found = found[(page - 1) * PAGE : page * PAGE]
    payload = [api.conversation(call.chatwoot.view, row) for row in found]
    return ok({"data": {"meta": counts, "payload": payload}})


def _by_filters(call: Call) -> list[Conversation]:
    params, store = call.params, call.chatwoot.store
    found = list(store.conversations_of(call.account.id))
    status = params.text("status") or "open"
    if status != "all":
        found = [row for row in found if row.status == status]
    inbox_id = params.integer("inbox_id")
    if inbox_id is not None:
        found = [row for row in found if row.inbox_id == inbox_id]
    within = params.integer("updated_within")
    if within is not None:
        since = call.chatwoot.clock.now(call.account.id) - within
        found = [row for row in found if row.updated_at >= since]
    source_id = params.text("source_id")
    if source_id is not None:
        found = [row for row in found if store.contact_inboxes[row.contact_inbox_id].source_id == source_id]
    labels = set(params.texts("labels") or params.texts("labels[]"))
    return [row for row in found if not labels or labels & set(row.label_list)]


async def show(call: Call) -> Response:
    """One conversation."""
    return ok(api.conversation(call.chatwoot.view, call.conversation()))


async def create(call: Call) -> Response:
    """A conversation on behalf of a contact, optionally with the first message."""
    params = call.params
    status = params.text("status")
    if status is not None and status not in STATUSES:
        raise refused(f"'{status}' is not a valid status")
    assignee = call.chatwoot.store.users.get(params.integer("assignee_id"))
    mine = assignee is not None and assignee.account_id == call.account.id
    conversation = call.chatwoot.conversations.create(
        _address(call),
        custom_attributes=check_custom_attributes(params.object("custom_attributes")),
        additional_attributes=params.object("additional_attributes"),
        status=status,
        assignee_id=assignee.id if assignee is not None and mine else None,
    )
    content = as_text(as_object(params.get("message")).get("content"))
    if content is not None:
        call.chatwoot.messages.post(conversation, call.actor, Draft(content))
    return ok(api.conversation(call.chatwoot.view, conversation))


def _address(call: Call) -> ContactInbox:
    """By inbox and contact, else by source id alone (conversations_controller.rb#contact_inbox)."""
    params, store = call.params, call.chatwoot.store
    inbox_id, contact_id = params.integer("inbox_id"), params.integer("contact_id")
    if inbox_id is not None and contact_id is not None:
        return call.chatwoot.contacts.add_to_inbox(
            call.contact(contact_id), call.inbox(inbox_id), params.text("source_id")
        )
    source_id = params.text("source_id")
    for address in store.contact_inboxes:
        if address.source_id == source_id and store.inboxes[address.inbox_id].account_id == call.account.id:
            return address
    raise not_found()


async def update(call: Call) -> Response:
    """Only the priority can be changed here."""
    conversation = call.conversation()
    if "priority" in call.params:
        call.chatwoot.conversations.update(conversation, priority=_priority(call))
    return ok(api.conversation(call.chatwoot.view, conversation))


async def toggle_priority(call: Call) -> Response:
    """Set the priority; null removes it."""
    call.chatwoot.conversations.update(call.conversation(), priority=_priority(call))
    return ok()


def _priority(call: Call) -> str | None:
    priority = call.params.text("priority")
    if priority in {None, "", "none", "nil"}:
        return None
    if priority not in PRIORITIES:
        raise refused(f"'{priority}' is not a valid priority")
    return priority


async def toggle_status(call: Call) -> Response:
    """Set the status. A bot that opens a pending one hands over, and ``success`` is then null."""
    conversation, params = call.conversation(), call.params
    status = params.text("status") or TOGGLED[conversation.status]
    if status not in STATUSES:
        raise refused(f"'{status}' is not a valid status")
    conversations = call.chatwoot.conversations
    is_handoff = (
        isinstance(call.actor, AgentBot) and conversation.status == "pending" and params.text("status") == "open"
    )
    if is_handoff and conversation.waiting_since is None:
        conversations.update(conversation, waiting_since=call.chatwoot.clock.now(call.account.id))
    until = params.integer("snoozed_until")
    if until is not None and not 0 <= until < END_OF_TIME:
        raise refused("snoozed_until is not a time")
    conversations.set_status(conversation, status, call.actor.name, None if until is None else float(until))
    if status == "open" and isinstance(call.actor, User) and call.actor.role == "agent":
        conversations.assign(conversation, call.actor, call.actor.name)
    snoozed = conversation.snoozed_until
    payload = {
        "success": None if is_handoff else True,
        "conversation_id": conversation.display_id,
        "current_status": conversation.status,
        "snoozed_until": None if snoozed is None else int(snoozed),
    }
    return ok({"meta": {}, "payload": payload})


async def toggle_typing_status(call: Call) -> Response:
    """Show the customer that somebody writes."""
    conversation, status = call.conversation(), call.params.text("typing_status")
    if status in {"on", "off"}:
        call.chatwoot.conversations.typing(
            conversation, call.actor, on=status == "on", private=call.params.flag("is_private")
        )
    return ok()


async def custom_attributes(call: Call) -> Response:
    """Replaces all of them, unless ``merge`` (4.17)."""
    conversation = call.conversation()
    attributes = check_custom_attributes(call.params.object("custom_attributes"))
    if call.params.flag("merge") and call.chatwoot.profile.merges_custom_attributes:
        attributes = conversation.custom_attributes | attributes
    call.chatwoot.conversations.update(conversation, custom_attributes=attributes)
    return ok({"custom_attributes": conversation.custom_attributes})


async def assign(call: Call) -> Response:
    """``assignee_id`` wins: sent together with it, ``team_id`` is ignored (assignments_controller.rb).

    A team that is not there takes the conversation from the one it has, like ``null``.
    """
    conversation, params, store = call.conversation(), call.params, call.chatwoot.store
    if "assignee_id" not in params:
        return _assign_team(call, conversation) if "team_id" in params else answer_json(None)
    assignee_id = params.integer("assignee_id")
    is_bot = params.text("assignee_type") == "AgentBot"
    assignee = store.agent_bots.get(assignee_id) if is_bot else store.users.get(assignee_id)
    if assignee is not None and assignee.account_id != call.account.id:
        assignee = None
    call.chatwoot.conversations.assign(conversation, assignee, call.actor.name)
    match assignee:
        case User():
            return ok(api.agent(assignee))
        case AgentBot():
            return ok(api.assigned_bot(assignee))
        case None:
            return answer_json(None)


def _assign_team(call: Call, conversation: Conversation) -> Response:
    team = call.chatwoot.store.teams.get(call.params.integer("team_id"))
    if team is not None and team.account_id != call.account.id:
        team = None
    call.chatwoot.conversations.assign_team(conversation, team, call.actor.name)
    return answer_json(None) if team is None else ok(api.assigned_team(team))


async def labels(call: Call) -> Response:
    """The labels."""
    return ok({"payload": call.conversation().label_list})


async def set_labels(call: Call) -> Response:
    """Replaces the list."""
    conversation = call.conversation()
    wanted = list(dict.fromkeys(label.strip() for label in call.params.texts("labels") if label.strip()))
    call.chatwoot.conversations.update(conversation, label_list=wanted)
    return ok({"payload": conversation.label_list})


async def update_last_seen(call: Call) -> Response:
    """The agent has read the conversation."""
    conversation = call.conversation()
    conversation.agent_last_seen_at = call.chatwoot.clock.now(call.account.id)
    call.chatwoot.store.conversations.save(conversation)
    return ok(api.conversation(call.chatwoot.view, conversation))


ONE = "/conversations/{conversation_id}"
ROUTES: list[RouteSpec] = [
    ("GET", "/conversations", index, Access.USER),
    ("POST", "/conversations", create, Access.BOT),
    ("GET", ONE, show, Access.BOT_READING),
    ("PATCH", ONE, update, Access.BOT),
    ("POST", f"{ONE}/toggle_status", toggle_status, Access.BOT),
    ("POST", f"{ONE}/toggle_priority", toggle_priority, Access.BOT),
    ("POST", f"{ONE}/toggle_typing_status", toggle_typing_status, Access.BOT_TYPING),
    ("POST", f"{ONE}/custom_attributes", custom_attributes, Access.BOT),
    ("POST", f"{ONE}/assignments", assign, Access.BOT),
    ("GET", f"{ONE}/labels", labels, Access.BOT_READING),
    ("POST", f"{ONE}/labels", set_labels, Access.BOT_READING),
    ("POST", f"{ONE}/update_last_seen", update_last_seen, Access.USER),
]
