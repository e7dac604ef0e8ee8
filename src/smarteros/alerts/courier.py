"""Who is to be told what, and what happens when somebody cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from smarteros.alerts.places import page_about
from smarteros.alerts.protocol import AlertNews, AlertSink, Notice
from smarteros.alerts.settings import AlertSettings
from smarteros.alerts.texts import alert_texts
from smarteros.domain.alerts import FALLBACKS, Alert, NewsKind, Severity, Silence, Sink, SinkName, Told
from smarteros.domain.errors import SmosError
from smarteros.observability.metrics import REGISTRY

_log = structlog.get_logger()

NOTICES = Counter("smos_alert_notices_total", "Messages to alert sinks", ["sink", "outcome"], registry=REGISTRY)

# A sink whose trouble may pass by itself is tried again this often, and with the news of an end for so long.
_TRY_AGAIN_AFTER = timedelta(minutes=2)
_TRY_AGAIN_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class _Item:
    alert: Alert
    kind: NewsKind
    # The fallback was told before: this is only the sink's own chance to hear of it after all.
    again: bool = False


@dataclass
class Courier:
    """Tells the sinks what is due. Remembers in the alerts themselves who was told what (``Alert.told``).

    ``people_url`` is where people reach our console; without it messages lead nowhere.
    """

    sinks: Mapping[SinkName, AlertSink]
    settings: AlertSettings
    people_url: str | None = None
    _last: dict[tuple[str, Sink], datetime] = field(default_factory=dict[tuple[str, Sink], datetime])

    def tell(self, alerts: Sequence[Alert], silences: Sequence[Silence], now: datetime) -> Iterator[Alert]:
        """Tell what is due about alerts of one tenant; gives each alert of which somebody was told, as it then is.

        Alerts that go to one sink and are of one kind are one message. A message is remembered after it was taken: who
        dies in between tells it once more.
        """
        current = {alert.alert_id: alert for alert in alerts}
        silenced = {alert.alert_id for alert in alerts if any(silence.covers(alert) for silence in silences)}
        sinks: set[Sink] = {sink for alert in alerts for sink in self._wanted(alert)}
        for sink in sorted(sinks):
            due = [
                item
                for alert in alerts
                if sink in self._wanted(alert)
                for item in self._due(alert, sink, alert.alert_id in silenced, now)
            ]
            for group in _groups(self._held_back(due, sink, now)):
                taken = self._deliver(sink, group, now)
                if taken is None:
                    continue
                for item in group:
                    known = current[item.alert.alert_id]
                    current[known.alert_id] = known.model_copy(update={"told": {**known.told, sink: taken}})
        yield from (after for before, after in zip(alerts, current.values(), strict=True) if after is not before)

    def news(self, alert: Alert, kind: NewsKind, now: datetime) -> AlertNews:
        """Say what has become of an alert, and where to look at it."""
        text = alert_texts(self.settings.language).sentence(alert, kind, now)
        url = None if self.people_url is None else f"{self.people_url.rstrip('/')}{page_about(alert)}"
        return AlertNews(alert=alert, kind=kind, text=text, url=url)

    def tell_everybody(self, notice: Notice) -> dict[SinkName, str | None]:
        """Tell every sink that is set up, and say of each why it did not take it (None: it did)."""
        return {name: self._send(name, notice)[0] for name in self.sinks}

    def finished(self, alert: Alert, silences: Sequence[Silence], now: datetime) -> bool:
        """Tell whether everything has been said of an alert: it can be put away."""
        if alert.moment:
            silenced = any(silence.covers(alert) for silence in silences)
            return silenced or all(sink in alert.told for sink in self._wanted(alert))
        if alert.resolved_at is None:
            return False
        ended = [told.kind == "resolved" and not told.again for told in alert.told.values()]
        return all(ended) or now - alert.resolved_at > _TRY_AGAIN_WITHIN

    def _wanted(self, alert: Alert) -> tuple[Sink, ...]:
        """Return where an alert goes: as the installation says, else as the contract does."""
        routes = self.settings.routes
        return routes.get(alert.name, routes.get(alert.severity, alert.notify))

    def _due(self, alert: Alert, sink: Sink, silenced: bool, now: datetime) -> Iterator[_Item]:
        told = alert.told.get(sink)
        if told is not None and told.again and now - told.at >= _TRY_AGAIN_AFTER:
            yield _Item(alert, "resolved" if alert.resolved_at and not alert.moment else told.kind, again=True)
            return
        kind = self._due_kind(alert, told, silenced, now)
        if kind is not None:
            yield _Item(alert, kind)

    def _due_kind(self, alert: Alert, told: Told | None, silenced: bool, now: datetime) -> NewsKind | None:
        known = None if told is None or told.kind == "resolved" else told
        if alert.moment:
            return "firing" if told is None and not silenced else None
        if alert.resolved_at is not None:
            return None if known is None else "resolved"
        if silenced:
            return None if known is None or known.kind == "acknowledged" else "acknowledged"
        if known is None:
            return "firing"
        if known.kind == "acknowledged" or now - known.at >= self._repeat_after(alert):
            return "repeated"
        return None

    def _repeat_after(self, alert: Alert) -> timedelta:
        page = alert.severity == "page"
        return timedelta(minutes=self.settings.repeat_page_min if page else self.settings.repeat_ticket_min)

    def _held_back(self, due: Sequence[_Item], sink: Sink, now: datetime) -> list[_Item]:
        """Leave out new alerts that are in no hurry, when the same people were told of others a moment ago."""
        calm = [i for i in due if i.kind == "firing" and i.alert.severity != "page" and not i.alert.moment]
        if not calm:
            return list(due)
        place = (calm[0].alert.tenant_id, sink)
        last = self._last.get(place)
        if last is not None and now - last < timedelta(minutes=self.settings.group_min):
            return [item for item in due if item not in calm]
        self._last[place] = now
        return list(due)

    def _deliver(self, sink: Sink, group: Sequence[_Item], now: datetime) -> Told | None:
        """Send one message, to another sink if need be. None when nobody took it; it is due again then."""
        texts, first = alert_texts(self.settings.language), group[0]
        news = tuple(self.news(item.alert, item.kind, now) for item in group)
        why, again = self._send(sink, Notice(news=news))
        if why is None:
            return Told(kind=first.kind, at=now, by=sink)
        before = first.alert.told.get(sink)
        if first.again and before is not None:
            return Told(kind=first.kind, at=now, by=before.by, again=again)
        notes = (texts.fell_back(sink, why or None),)
        for other in FALLBACKS[first.alert.severity]:
            if other != sink and other in self.sinks and self._send(other, Notice(news=news, notes=notes))[0] is None:
                return Told(kind=first.kind, at=now, by=other, again=again)
        _log.critical("alert_not_told", sink=sink, alerts=[item.alert.name for item in group])
        return None

    def _send(self, name: SinkName, notice: Notice) -> tuple[str | None, bool]:
        """Return why it was not taken (None: it was; empty: nobody set it up), and whether that may pass by itself."""
        sink = self.sinks.get(name)
        if sink is None:
            return "", False
        try:
            sink.send(notice)
        except SmosError as error:
            NOTICES.labels(name, "failed").inc()
            _log.warning("alert_sink_failed", sink=name, code=error.code, detail=error.operator_message)
            return error.operator_message.rstrip("."), error.retryable
        NOTICES.labels(name, "taken").inc()
        return None, False


def _groups(due: Sequence[_Item]) -> Iterator[list[_Item]]:
    """Put together what is told in one message: one kind, one severity (it decides who is told instead)."""
    groups: dict[tuple[NewsKind, Severity, bool], list[_Item]] = {}
    for item in due:
        groups.setdefault((item.kind, item.alert.severity, item.again), []).append(item)
    yield from groups.values()


def try_sinks(courier: Courier, now: datetime) -> dict[SinkName, str | None]:
    """Send every sink that is set up a test and its end; says of each why it did not take it (None: it did)."""
    alert = Alert(tenant_id="-", key="test", name="test", signal="test", severity="info", notify=(), started_at=now)
    over = alert.model_copy(update={"resolved_at": now})
    answers: dict[SinkName, str | None] = {}
    ends: tuple[tuple[Alert, NewsKind], ...] = ((alert, "firing"), (over, "resolved"))
    for each, kind in ends:
        for name, why in courier.tell_everybody(Notice(news=(courier.news(each, kind, now),))).items():
            answers[name] = answers.get(name) or why
    return answers
