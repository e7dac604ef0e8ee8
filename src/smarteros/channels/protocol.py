"""What a channel must be able to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from smarteros.domain.messages import Attachment, ConversationState, Desk, OutgoingReply, PostedReply
from smarteros.domain.tenants import Tenant


class Channel(Protocol):
    """A way to customers. Every method raises TransientError (retry later), PermanentError (will not pass, for
    example the conversation is gone) or ConfigError (credentials refused), and nothing else.
    """

    def conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> ConversationState:
        """Read the conversation as it is now.

        Conversation ids count per account; without ``account_id`` the tenant's first account is meant.
        """
        ...

    def given_back(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> bool:
        """Tell whether people have given the conversation to the bot since one of them wrote in it.

        Read from what was said and done, for when the webhook of it is lost. False where that may not be read.
        """
        ...

    def download(self, tenant: Tenant, attachment: Attachment) -> bytes:
        """Fetch an attachment, waiting while it is not yet readable.

        At most 16 MiB and 10 s; only from hosts allowed for the tenant. RejectedInputError when it breaks a bound.
        """
        ...

    def post(
        self,
        tenant: Tenant,
        reply: OutgoingReply,
        *,
        maybe_sent: bool = False,
        before_post: Callable[[], None] | None = None,
    ) -> PostedReply:
        """Put the reply into the conversation exactly once.

        ``maybe_sent`` says that an earlier call with the same ``reply_id`` may have had its effect (a
        TransientError, or a worker that died): the marker is looked for first and no second message is posted.
        ``before_post`` is called right before each request that would post; what it raises ends the call.
        """
        ...

    def hand_over(
        self,
        tenant: Tenant,
        conversation_id: int,
        note: str,
        *,
        account_id: int | None = None,
        desk: Desk | None = None,
    ) -> None:
        """Give the conversation to a person; ``note`` is the private summary. Doing it twice changes nothing.

        From then on the bot is silent, whether or not the channel's own state shows it. ``desk`` says how people find
        the conversation; what of it cannot be done is left out, and never fails the hand-over.
        """
        ...

    def open_conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> None:
        """Let people see that the conversation is theirs. Doing it twice changes nothing."""
        ...
