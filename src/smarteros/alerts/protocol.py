"""What an alert sink must be able to do."""

from __future__ import annotations

from typing import Protocol

from smarteros.domain.alerts import Alert, NewsKind
from smarteros.domain.model import Model


class AlertNews(Model):
    """One alert in a message: what has become of it, the sentence that says so, and our console's page about it."""

    alert: Alert
    kind: NewsKind
    text: str
    url: str | None = None


class Notice(Model):
    """One message: news of alerts that belong together. ``notes`` say, for example, which sink could not be told."""

    news: tuple[AlertNews, ...]
    notes: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Whether everything in it is resolved."""
        return all(each.kind == "resolved" for each in self.news)

    @property
    def headline(self) -> str:
        """The message in one line: the first sentence, and how many more there are."""
        more = len(self.news) - 1
        return self.news[0].text + (f" (+{more})" if more else "")


class AlertSink(Protocol):
    """Somebody who can be told. A sink takes all kinds of news; what means nothing to it, it takes and drops."""

    def send(self, notice: Notice) -> None:
        """Tell; returning means that the other side has taken it.

        Raises TransientError when it may do so later, ConfigError when the operator must put something right (a wrong
        key, an address that is gone) and PermanentError for what it will never take. No error tells a secret.
        """
        ...
