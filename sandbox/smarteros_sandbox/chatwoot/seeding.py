"""The first start: accounts, inboxes and people of the demo shops."""

from __future__ import annotations

from collections.abc import Sequence

from smarteros_sandbox.chatwoot.clock import AccountClock
from smarteros_sandbox.chatwoot.records import Account, CannedResponse, Inbox, Label, Team, User
from smarteros_sandbox.chatwoot.store import Store
from smarteros_sandbox.chatwoot.tokens import base58_token
from smarteros_sandbox.shops.models import DemoShop, InboxSpec

CANNED_RESPONSES = (
    ("saludo", "¡Hola {{contact.name}}! Soy {{agent.name}}, ¿en qué te puedo ayudar?"),
    ("espera", "Dame un momento, por favor, lo estoy revisando."),
    ("boleta", "¿Me puedes enviar una foto de tu boleta o factura, por favor?"),
    ("despedida", "Gracias por escribirnos. ¡Que tengas un buen día!"),
)
# What the demo's contracts name in their section ``hand_over``.
TEAMS = (("ventas", "Quienes venden"), ("postventa", "Garantías, cambios y reclamos"))
LABELS = ("bot", "cliente-molesto", "revisar-documento", "falla-del-bot")


def seed_missing_accounts(store: Store, clock: AccountClock, shops: Sequence[DemoShop]) -> None:
    """Create the account of every shop that has none yet; what exists stays as the users left it."""
    # Agents bring their ids: take them first, so that service users never collide with a later shop's agents.
    highest = max((agent.id for shop in shops for agent in shop.spec.agents), default=0)
    for position, shop in enumerate(shops, start=1):
        if store.accounts.get(shop.spec.account_id) is None:
            _seed_account(store, clock.now(shop.spec.account_id), shop, highest + position)


def _seed_account(store: Store, now: float, shop: DemoShop, administrator_id: int) -> None:
    spec = shop.spec
    domain = spec.agents[0].email.rpartition("@")[2] if spec.agents else spec.store_domain
    store.accounts.add(
        Account(
            id=spec.account_id,
            name=spec.name,
            domain=domain,
            created_at=now,
            legacy_hmac_secret=spec.legacy_hmac_secret,
        )
    )
    store.users.add(
        User(
            id=administrator_id,
            account_id=spec.account_id,
            name="SmarterOS",
            email=f"smarteros@{domain}",
            role="administrator",
            access_token=spec.administrator_token,
            pubsub_token=base58_token(),
        )
    )
    for agent in spec.agents:
        store.users.add(
            User(
                id=agent.id,
                account_id=spec.account_id,
                name=agent.name,
                email=agent.email,
                access_token=base58_token(),
                pubsub_token=base58_token(),
            )
        )
    for inbox in spec.inboxes:
        store.inboxes.add(_inbox(inbox, spec.account_id, domain))
    for short_code, content in CANNED_RESPONSES:
        store.canned_responses.add(
            CannedResponse(
                account_id=spec.account_id,
                short_code=short_code,
                content=content,
                created_at=now,
                updated_at=now,
            )
        )
    for name, description in TEAMS:
        store.teams.add(
            Team(account_id=spec.account_id, name=name, description=description, created_at=now, updated_at=now)
        )
    for title in LABELS:
        store.labels.add(Label(account_id=spec.account_id, title=title))


def _inbox(spec: InboxSpec, account_id: int, domain: str) -> Inbox:
    addresses = {
        "whatsapp": f"+5622{account_id:03d}{spec.id % 10000:04d}",
        "email": f"contacto@{domain}",
        "webwidget": f"https://{domain}",
    }
    return Inbox(
        id=spec.id,
        account_id=account_id,
        name=spec.name,
        channel=spec.channel,
        identifier=spec.identifier,
        address=addresses[spec.channel],
    )
