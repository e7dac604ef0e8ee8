"""What differs between the Chatwoot versions a shop may run. One profile per process."""

from __future__ import annotations

from dataclasses import dataclass

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Profile:
    """A Chatwoot version, asked by capability so that no other module compares versions."""

    name: str
    version: Version
    legacy_body_signature: bool = False
    """The scheme of the ``seed`` profile: bare hex HMAC over the body, no timestamp. No real version does it."""

    @property
    def version_text(self) -> str:
        """As ``GET /api`` shows it."""
        return ".".join(str(part) for part in self.version)

    @property
    def signs_account_webhooks(self) -> bool:
        """Since 4.12.0 (chatwoot#13573)."""
        return self.version >= (4, 12, 0)

    @property
    def signs_bot_webhooks(self) -> bool:
        """Since 4.13.0 (chatwoot#13892)."""
        return self.version >= (4, 13, 0)

    @property
    def retries_bot_webhooks(self) -> bool:
        """Since 4.12.0 a bot webhook is retried on 429 and 500 (chatwoot#13521)."""
        return self.version >= (4, 12, 0)

    @property
    def bots_get_status_events(self) -> bool:
        """Since 4.13.0 bots receive conversation_status_changed and _updated (chatwoot#14001, #14002)."""
        return self.version >= (4, 13, 0)

    @property
    def bot_may_toggle_typing(self) -> bool:
        """Since 4.12.0 (chatwoot#13705)."""
        return self.version >= (4, 12, 0)

    @property
    def bot_may_read(self) -> bool:
        """Since 4.14.2 a bot token may show a conversation and its labels (chatwoot#14655)."""
        return self.version >= (4, 14, 2)

    @property
    def account_in_conversation_events(self) -> bool:
        """Since 4.14.2 every webhook payload names the account (chatwoot#12445)."""
        return self.version >= (4, 14, 2)

    @property
    def window_checked_locally(self) -> bool:
        """Since 4.16.1 free text outside the 24 h window fails without asking Meta (chatwoot#15113)."""
        return self.version >= (4, 16, 1)

    @property
    def assigns_bot_on_create(self) -> bool:
        """Since 4.16.2 a new conversation of a bot inbox is assigned to the bot (chatwoot#14875)."""
        return self.version >= (4, 16, 2)

    @property
    def assignment_moves_status(self) -> bool:
        """Since 4.17: assigning a bot means pending, a human on a bot's pending means open (chatwoot#14870)."""
        return self.version >= (4, 17, 0)

    @property
    def articles_tell_locale(self) -> bool:
        """An article of the help centre tells its own locale, no longer only its category's; upstream since 4.17."""
        return self.version >= (4, 17, 0)

    @property
    def merges_custom_attributes(self) -> bool:
        """Since 4.17 ``custom_attributes`` knows ``merge`` (chatwoot#15119)."""
        return self.version >= (4, 17, 0)


DEFAULT_PROFILE = "4.16.2"

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("4.11", (4, 11, 0)),
        Profile("4.12", (4, 12, 0)),
        Profile("4.13", (4, 13, 0)),
        Profile("4.14.2", (4, 14, 2)),
        Profile("4.16.2", (4, 16, 2)),
        Profile("4.17", (4, 17, 0)),
        Profile("seed", (4, 16, 2), legacy_body_signature=True),
    )
}
