"""One running Chatwoot: its parts, put together."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

from smarteros_sandbox.chatwoot.blobs import Blobs
from smarteros_sandbox.chatwoot.clock import AccountClock
from smarteros_sandbox.chatwoot.contacts import Contacts
from smarteros_sandbox.chatwoot.conversations import Conversations
from smarteros_sandbox.chatwoot.messages import Messages
from smarteros_sandbox.chatwoot.profiles import DEFAULT_PROFILE, PROFILES, Profile
from smarteros_sandbox.chatwoot.seeding import seed_missing_accounts
from smarteros_sandbox.chatwoot.store import Store
from smarteros_sandbox.chatwoot.view import View
from smarteros_sandbox.chatwoot.webhooks.delivery import (
    BOT_RETRY_SECONDS,
    TIMEOUT_SECONDS,
    Deliverer,
    Delivery,
)
from smarteros_sandbox.chatwoot.webhooks.dispatch import Dispatcher
from smarteros_sandbox.chatwoot.webhooks.jobs import Jobs
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.models import DemoShop

FAILURE_EVENTS = frozenset({"message_created", "message_updated"})


class Installation:
    """The stand-in without its HTTP surface. Call :meth:`start` in the loop that serves it."""

    def __init__(
        self,
        shops: Sequence[DemoShop],
        faults: Faults,
        data_dir: Path,
        *,
        profile: Profile = PROFILES[DEFAULT_PROFILE],
        base_url: str = "http://127.0.0.1",
        bot_retry_seconds: float = BOT_RETRY_SECONDS,
        webhook_timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        folder = data_dir / "chatwoot"
        folder.mkdir(parents=True, exist_ok=True)
        self.faults = faults
        self.profile = profile
        self.clock = AccountClock()
        self.store = Store(folder / "chatwoot.sqlite3")
        seed_missing_accounts(self.store, self.clock, shops)
        self.blobs = Blobs(folder / "blobs", faults, _signing_key(folder / "signing.key"))
        self.view = View(self.store, self.clock, self.blobs, profile, base_url)
        self.jobs = Jobs()
        self.deliverer = Deliverer(
            self.jobs,
            profile,
            self._on_bot_failure,
            bot_retry_seconds=bot_retry_seconds,
            timeout_seconds=webhook_timeout_seconds,
        )
        self.dispatcher = Dispatcher(self.view, self.jobs, self.deliverer, faults)
        self.conversations = Conversations(self.view, self.dispatcher)
        self.contacts = Contacts(self.view, self.dispatcher)
        self.messages = Messages(self.view, self.dispatcher, self.conversations, self.contacts, self.jobs)

    async def start(self) -> None:
        """Start the background workers."""
        await self.jobs.start()

    async def stop(self) -> None:
        """Stop the background workers and close the database."""
        await self.dispatcher.stop()
        await self.jobs.stop()
        self.store.close()

    async def settled(self, timeout_seconds: float = 10.0) -> None:
        """Wait until no webhook or delivery is under way any more; TimeoutError if that never happens."""
        async with asyncio.timeout(timeout_seconds):
            while not (self.jobs.idle and self.dispatcher.idle):
                await asyncio.sleep(0.005)

    def _on_bot_failure(self, delivery: Delivery) -> None:
        message = self.store.messages.get(delivery.message_id)
        if message is not None and delivery.event in FAILURE_EVENTS:
            self.conversations.open_after_bot_failure(self.store.conversations[message.conversation_id])


def _signing_key(path: Path) -> bytes:
    """``secret_key_base``: made once, so that attachment links outlive a restart."""
    if not path.exists():
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()
