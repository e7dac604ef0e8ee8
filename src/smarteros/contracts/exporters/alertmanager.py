"""Alertmanager's configuration for the alerts ``exporters.prometheus`` writes: who is told is in their ``notify``.

Secrets are not in it: Alertmanager reads each from a file of the folder its configuration lies in. WhatsApp is nothing
Alertmanager knows; it posts to our bridge (``edge.alertmanager_bridge``), as it does for the dead-man's switch, whose
address is a secret too: so the switch hears of us only while Prometheus, Alertmanager and we are all there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from smarteros.contracts.exporters.prometheus_rules import NOTIFY
from smarteros.domain.alerts import FALLBACKS, Sink, SinkName
from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model

_HEAD = """\
# Written by `smos contract export alertmanager`; every run writes the same for the same settings.
# The secrets are files beside this one: {files}.
"""
_SUMMARIES = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.runbook_url }}\n{{ end }}"
_TITLE = "[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }} {{ .CommonLabels.tenant }}"
_SLACK_URL, _PAGERDUTY_KEY, _SMTP_PASSWORD, _BRIDGE_TOKEN = (
    "slack_url", "pagerduty_routing_key", "smtp_password", "bridge_token",
)  # fmt: skip
_NOBODY, _DEADMAN = "nobody", "deadman"
_PAGING: frozenset[Sink] = frozenset({"pagerduty", "whatsapp_founder"})
_GROUPED_BY = ("alertname", "tenant")


class AlertmanagerSinks(Model):
    """What Alertmanager must know that is no secret. What a contract wants told to a sink that is not set goes on to
    the next (``FALLBACKS``).

    ``bridge_url`` is our own ``/alertmanager``. ``mail_server`` is ``host:port``. Times are Alertmanager's.
    """

    slack: bool = False
    pagerduty: bool = False
    pagerduty_url: str = "https://events.pagerduty.com"
    whatsapp: bool = False
    deadman: bool = False
    bridge_url: str
    mail_server: str | None = None
    mail_from: str
    mail_to: tuple[str, ...] = ()
    mail_user: str | None = None
    mail_tls: bool = True
    group_wait: str = "15s"
    group_interval: str
    repeat_page: str
    repeat_ticket: str

    @property
    def names(self) -> tuple[Sink, ...]:
        """The sinks that are there, by the names the contracts use."""
        there: dict[Sink, bool] = {
            "pagerduty": self.pagerduty,
            "whatsapp_founder": self.whatsapp,
            "slack": self.slack,
            "email": self.mail_server is not None and bool(self.mail_to),
        }
        return tuple(name for name, is_there in there.items() if is_there)


def alertmanager_config(sinks: AlertmanagerSinks) -> str:
    """Write the configuration as YAML. ConfigError when nobody could be told."""
    if not sinks.names:
        raise ConfigError(
            "alerts_not_configured", "No sink is set up for Alertmanager: see SMOS_ALERT_* (docs/alerts.md)."
        )
    receivers: dict[str, dict[str, Any]] = {name: _RECEIVERS[name](sinks) for name in sinks.names}
    if sinks.deadman:
        receivers[_DEADMAN] = _bridged(sinks, _DEADMAN, send_resolved=False)
    config = {
        "route": _routes(sinks),
        # Prometheus that reaches nobody knows nothing of the rest.
        "inhibit_rules": [
            {
                "source_matchers": ['alertname="smos_nothing_runs"'],
                "target_matchers": ['alertname!~"smos_nothing_runs|smos_watchdog"'],
            }
        ],
        "receivers": [{"name": _NOBODY}, *({"name": name, **told} for name, told in receivers.items())],
    }
    return _HEAD.format(files=", ".join(_secret_files(sinks))) + yaml.safe_dump(config, sort_keys=False, width=110)


def _routes(sinks: AlertmanagerSinks) -> dict[str, Any]:
    """One way for each sink, all of them looked at: an alert names several."""
    ways: list[dict[str, Any]] = [
        {
            "receiver": name,
            "matchers": [f'{NOTIFY}=~".*,({"|".join(names)}),.*"'],
            "continue": True,
            "routes": [{"matchers": ['severity="page"'], "repeat_interval": sinks.repeat_page}],
        }
        for name, names in _stands_for(sinks).items()
    ]
    if sinks.deadman:
        often = {"group_wait": "0s", "group_interval": "1m", "repeat_interval": "1m"}
        ways.append({"receiver": _DEADMAN, "matchers": [f'{NOTIFY}=~".*,{_DEADMAN},.*"'], **often})
    return {
        "receiver": _NOBODY,
        "group_by": list(_GROUPED_BY),
        "group_wait": sinks.group_wait,
        "group_interval": sinks.group_interval,
        "repeat_interval": sinks.repeat_ticket,
        "routes": ways,
    }


def _stands_for(sinks: AlertmanagerSinks) -> dict[Sink, list[Sink]]:
    """Say for which sinks of the contracts each of those that are there is told: itself, and those that are not."""
    found: dict[Sink, list[Sink]] = {name: [] for name in sinks.names}
    for wanted in _RECEIVERS:
        row: tuple[SinkName, ...] = (wanted, *FALLBACKS["page" if wanted in _PAGING else "ticket"])
        told = min(found, key=lambda name: row.index(name) if name in row else len(row))
        found[told].append(wanted)
    return found


def _slack(_sinks: AlertmanagerSinks) -> dict[str, Any]:
    told = {"api_url_file": _SLACK_URL, "send_resolved": True, "title": _TITLE, "text": _SUMMARIES}
    return {"slack_configs": [told]}


def _email(sinks: AlertmanagerSinks) -> dict[str, Any]:
    told: dict[str, Any] = {
        "to": ", ".join(sinks.mail_to),
        "from": sinks.mail_from,
        "smarthost": sinks.mail_server,
        "require_tls": sinks.mail_tls,
        "send_resolved": True,
        "headers": {"Subject": _TITLE},
        "text": _SUMMARIES,
        "html": "",
    }
    if sinks.mail_user is not None:
        told |= {"auth_username": sinks.mail_user, "auth_password_file": _SMTP_PASSWORD}
    return {"email_configs": [told]}


def _pagerduty(sinks: AlertmanagerSinks) -> dict[str, Any]:
    told = {
        "url": f"{sinks.pagerduty_url}/v2/enqueue",
        "routing_key_file": _PAGERDUTY_KEY,
        "send_resolved": True,
        "description": "{{ .CommonAnnotations.summary }}",
        "severity": '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}',
    }
    return {"pagerduty_configs": [told]}


def _whatsapp(sinks: AlertmanagerSinks) -> dict[str, Any]:
    return _bridged(sinks, "whatsapp", send_resolved=True)


def _bridged(sinks: AlertmanagerSinks, path: str, *, send_resolved: bool) -> dict[str, Any]:
    bearer = {"authorization": {"type": "Bearer", "credentials_file": _BRIDGE_TOKEN}}
    url = f"{sinks.bridge_url}/{path}"
    told = {"url": url, "send_resolved": send_resolved, "max_alerts": 20, "http_config": bearer}
    return {"webhook_configs": [told]}


_RECEIVERS: dict[Sink, Callable[[AlertmanagerSinks], dict[str, Any]]] = {
    "pagerduty": _pagerduty,
    "whatsapp_founder": _whatsapp,
    "slack": _slack,
    "email": _email,
}


def _secret_files(sinks: AlertmanagerSinks) -> list[str]:
    needed = {
        _SLACK_URL: sinks.slack,
        _PAGERDUTY_KEY: sinks.pagerduty,
        _SMTP_PASSWORD: sinks.mail_user is not None,
        _BRIDGE_TOKEN: sinks.whatsapp or sinks.deadman,
    }
    return [name for name, is_needed in needed.items() if is_needed] or ["none"]
