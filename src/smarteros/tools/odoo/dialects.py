"""The two ways to talk to an Odoo: JSON-2 from version 19 on, JSON-RPC (``execute_kw``) from 14 to 18.

JSON-2 takes named arguments and an API key as bearer. JSON-RPC takes a database, a user's number and the key as his
password, and answers errors with HTTP 200; it is deprecated in 19 and goes away in 20. What a call means is the same in
both, so the tools name it once: ``<model>/<method>`` and JSON-2's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.tools.faults import sorted_fault

SERVICE = "odoo"
FIRST_WITH_JSON2 = 19
MODEL_MISSING = "odoo_model_missing"
# What JSON-RPC takes by place: its names differ between the versions (``args`` was ``domain`` before 17).
_BY_PLACE = ("ids", "domain", "vals_list")
# The body of an error may be cut, so it is not parsed: name and message come first, the traceback (debug) last.
_ERROR_NAME = re.compile(r'"name":\s*"([\w.]{1,100})"')
_ERROR_MESSAGE = re.compile(r'"message":\s*"((?:[^"\\]|\\.){0,200})')
_REFUSING = ("AccessDenied", "AccessError", "Unauthorized", "SessionExpiredException")
_LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Account:
    """Where a tenant's Odoo is and who asks. ``login`` and ``database`` are needed by JSON-RPC only."""

    url: str
    api_key: str
    database: str | None
    login: str | None
    owner: str

    def __repr__(self) -> str:
        return f"Account({self.url}, {self.owner})"


class Dialect(Protocol):
    """One way to call a method."""

    def call(
        self, http: HttpClient, account: Account, method: str, arguments: Mapping[str, Any], timeout_s: float
    ) -> Any:
        """Return the JSON answer of ``<model>/<method>``; the sorted SmosError of whatever went wrong."""
        ...


class Json2:
    """``POST /json/2/<model>/<method>`` with named arguments."""

    def call(
        self, http: HttpClient, account: Account, method: str, arguments: Mapping[str, Any], timeout_s: float
    ) -> Any:
        """Call; see Dialect."""
        headers = {"Authorization": f"bearer {account.api_key}"}
        if account.database:
            headers["X-Odoo-Database"] = account.database
        url = f"{account.url}/json/2/{method}"
        try:
            return http.json("POST", url, headers=headers, json=dict(arguments), timeout_s=timeout_s)
        except HttpFault as fault:
            raise _of_json2(fault, method.partition("/")[0]) from fault


class JsonRpc:
    """``POST /jsonrpc`` with ``execute_kw``. ``uid`` is the user's number, told by ``authenticate``."""

    def __init__(self, uid: int) -> None:
        self._uid = uid

    def call(
        self, http: HttpClient, account: Account, method: str, arguments: Mapping[str, Any], timeout_s: float
    ) -> Any:
        """Call; see Dialect."""
        model, _, name = method.partition("/")
        places = [arguments[key] for key in _BY_PLACE if key in arguments]
        named = {key: value for key, value in arguments.items() if key not in _BY_PLACE}
        whom = [account.database, self._uid, account.api_key]
        body = ("object", "execute_kw", [*whom, model, name, places, named])
        return _rpc(http, account.url, body, timeout_s, model=model)


def log_in(http: HttpClient, account: Account, timeout_s: float) -> JsonRpc:
    """Return the dialect for a server before 19; ConfigError when login, database or key are missing or wrong."""
    if not account.login or not account.database:
        missing = "secret odoo/login" if not account.login else "setting odoo_database"
        raise ConfigError("odoo_login_missing", f"{account.owner} has no {missing}; Odoo before 19 needs it.")
    whom: list[Any] = [account.database, account.login, account.api_key, {}]
    uid = _rpc(http, account.url, ("common", "authenticate", whom), timeout_s)
    if isinstance(uid, bool) or not isinstance(uid, int):
        raise ConfigError("odoo_access_refused", f"Odoo does not know odoo/login of {account.owner} with its key.")
    return JsonRpc(uid)


def version_of(http: HttpClient, url: str, timeout_s: float) -> str:
    """Ask an Odoo for its version, such as ``19.0`` or ``saas~18.3+e``; nobody has to log in for that.

    Servers before 19 do not have ``/web/version``; they tell it by JSON-RPC.
    """
    try:
        answer = http.json("GET", f"{url}/web/version", timeout_s=timeout_s)
        version = _member(answer, "version")
    except HttpFault as fault:
        if fault.transient or fault.status is None:
            raise sorted_fault(SERVICE, fault) from fault
        version = _member(_rpc(http, url, ("common", "version", []), timeout_s), "server_version")
    if not isinstance(version, str):
        raise PermanentError("odoo_answer_unreadable", f"{url} does not tell its version as an Odoo does.")
    return version


def major(version: str) -> int:
    """Return the number before the point: 18 of ``saas~18.3+e``; PermanentError when there is none."""
    found = re.search(r"(\d{1,3})\.\d", version)
    if found is None:
        raise PermanentError("odoo_answer_unreadable", f"{version[:50]!r} is no version of Odoo.")
    return int(found[1])


def _rpc(
    http: HttpClient, url: str, call: tuple[str, str, list[Any]], timeout_s: float, *, model: str | None = None
) -> Any:
    service, method, args = call
    params = {"service": service, "method": method, "args": args}
    body = {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
    try:
        answer = http.json("POST", f"{url}/jsonrpc", json=body, timeout_s=timeout_s)
    except HttpFault as fault:
        raise sorted_fault(SERVICE, fault) from fault
    error = _member(answer, "error")
    if error is not None:
        data = _member(error, "data")
        said = _member(data, "message") or _member(error, "message")
        raise _named(str(_member(data, "name") or ""), str(said or "")[:_LONGEST_MESSAGE], f"POST {url}/jsonrpc", model)
    return _member(answer, "result")


def _member(value: Any, key: str) -> Any:
    return cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None


def _of_json2(fault: HttpFault, model: str) -> SmosError:
    found_name, found_message = _ERROR_NAME.search(fault.body), _ERROR_MESSAGE.search(fault.body)
    name, message = found_name[1] if found_name else "", found_message[1] if found_message else ""
    if fault.status == 404 and name.endswith("NotFound") and model in message:
        return PermanentError(MODEL_MISSING, f"{fault}. {message}")
    if fault.status == 500 and name:
        return _named(name, message, str(fault), model)
    return sorted_fault(SERVICE, fault, said=" ".join(part for part in (name, message) if part))


def _named(name: str, message: str, where: str, model: str | None) -> SmosError:
    """Sort an error by its Python name.

    An exception of Python itself is our request's fault and will not pass by itself; one of the database's, or of a
    kind nobody knows, may.
    """
    sentence = f"{where}: {name} {message}"
    if name.endswith(_REFUSING):
        return ConfigError("odoo_access_refused", sentence)
    if model is not None and name.endswith("UserError") and model in message:
        return PermanentError(MODEL_MISSING, sentence)
    if name.startswith(("builtins.", "odoo.exceptions.")):
        return PermanentError("odoo_request_refused", sentence)
    return TransientError("odoo_unavailable", sentence)
