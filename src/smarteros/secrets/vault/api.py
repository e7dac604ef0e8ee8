"""The seven requests SmarterOS makes of Vault or OpenBao, and what their refusals mean.

No error of this module has a cause: what lies under it may hold a token or an answer with a secret.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from smarteros.domain.errors import ConfigError, TransientError
from smarteros.kit.http import HttpClient, HttpFault

# A turn waits for it, and an answer takes a few milliseconds.
_TIMEOUT_S = 2.0
_CHILD_TTL = "5m"


class VaultRefusedError(Exception):
    """The token may not do this: it has expired, was revoked, or its policy does not allow it (403)."""


class ChangedMeanwhileError(Exception):
    """Somebody else has written the secret since it was read."""


@dataclass(frozen=True)
class Lease:
    """A token and how many seconds it lives from now."""

    token: str = field(repr=False)
    seconds: float


@dataclass(frozen=True)
class KeptSecret:
    """The newest version of a secret: its keys and values (none when it was deleted), and when it was written."""

    data: dict[str, Any] = field(repr=False)
    version: int
    written_at: AwareDatetime | None


class _Auth(BaseModel):
    client_token: str = Field(repr=False)
    lease_duration: int


class _Granted(BaseModel):
    auth: _Auth


class _Metadata(BaseModel):
    created_time: AwareDatetime
    version: int


class _Version(BaseModel):
    data: dict[str, Any] | None = Field(repr=False)
    metadata: _Metadata


class _Answer(BaseModel):
    data: _Version = Field(repr=False)


_GRANTED = TypeAdapter(_Granted)
_ANSWER = TypeAdapter(_Answer)
_NOTHING = KeptSecret({}, 0, None)


class VaultApi:
    """One Vault at an address without trailing slash; ``mount`` is where its key-value engine (version 2) lies.

    Raises VaultRefusedError for 403, TransientError when Vault is away, sealed or overloaded, and ConfigError for
    every other refusal.
    """

    def __init__(self, http: HttpClient, address: str, mount: str) -> None:
        self._http = http
        self._address = address
        self.mount = mount

    def login(self, role_id: str, secret_id: str) -> Lease:
        """Return the installation's own token by AppRole. ConfigError(code ``vault_login_refused``) when refused."""
        body = {"role_id": role_id, "secret_id": secret_id}
        return self._granted("auth/approle/login", None, body, refused="vault_login_refused")

    def renew(self, token: str) -> Lease:
        """Let a token live longer; towards the end of its longest life it gets less than before."""
        return self._granted("auth/token/renew-self", token, {})

    def mint(self, token: str, role: str, policy: str) -> Lease:
        """Return a short-lived token with one policy. ConfigError when the token role does not allow it."""
        body = {"policies": [policy], "ttl": _CHILD_TTL}
        return self._granted(f"auth/token/create/{role}", token, body)

    def read(self, token: str, path: str) -> KeptSecret:
        """Return the newest version of a secret; one that was deleted or never written has no keys."""
        try:
            answer = self._ask("GET", f"{self.mount}/data/{path}", token)
        except _NotThereError as nothing:
            if nothing.version is None:
                return _NOTHING
            # The next write must still name the version that was deleted.
            return KeptSecret({}, nothing.version, None)
        try:
            found = _ANSWER.validate_python(answer).data
        except ValidationError:
            raise _unreadable(path) from None
        return KeptSecret(found.data or {}, found.metadata.version, found.metadata.created_time)

    def write(self, token: str, path: str, data: dict[str, Any], version: int) -> None:
        """Write a secret over the version that was read; ChangedMeanwhileError when it is not the newest any more."""
        try:
            self._ask("POST", f"{self.mount}/data/{path}", token, {"data": data, "options": {"cas": version}})
        except _BadRequestError:
            raise ChangedMeanwhileError from None
        except _NotThereError:
            raise ConfigError("vault_refused", f"Vault has no key-value engine at {self.mount!r}.") from None

    def remove(self, token: str, path: str) -> None:
        """Remove a secret with all its versions; one that was never written is no error."""
        url = f"{self._address}/v1/{self.mount}/metadata/{path}"
        try:
            self._http.request("DELETE", url, headers={"X-Vault-Token": token}, timeout_s=_TIMEOUT_S)
        except HttpFault as fault:
            if fault.status != 404:
                raise _meant(fault) from None

    def is_well(self) -> bool:
        """Tell whether it is there and unsealed; needs no token. A standby, which passes requests on, is well."""
        try:
            self._http.json("GET", f"{self._address}/v1/sys/health?standbyok=true", timeout_s=_TIMEOUT_S)
        except HttpFault:
            return False
        return True

    def _granted(self, path: str, token: str | None, body: dict[str, Any], *, refused: str = "vault_refused") -> Lease:
        try:
            auth = _GRANTED.validate_python(self._ask("POST", path, token, body)).auth
        except (_BadRequestError, _NotThereError):
            raise ConfigError(
                refused, f"Vault refuses {path}: is it set up as `smos contract export vault` writes?"
            ) from None
        except ValidationError:
            raise _unreadable(path) from None
        return Lease(auth.client_token, auth.lease_duration)

    def _ask(self, method: str, path: str, token: str | None, body: dict[str, Any] | None = None) -> Any:
        headers = {} if token is None else {"X-Vault-Token": token}
        url = f"{self._address}/v1/{path}"
        try:
            return self._http.json(method, url, headers=headers, json=body, timeout_s=_TIMEOUT_S)
        except HttpFault as fault:
            raise _meant(fault) from None


class _NotThereError(Exception):
    """404; ``version`` is that of a deleted secret."""

    def __init__(self, version: int | None) -> None:
        super().__init__()
        self.version = version


class _BadRequestError(Exception):
    """400: a wrong role or secret id, a policy the token role does not allow, a version that is not the newest."""


def _meant(fault: HttpFault) -> Exception:
    """The error a fault means. Only its own sentence is kept, which has the address and no more."""
    match fault.status:
        case 403:
            return VaultRefusedError()
        case 400:
            return _BadRequestError()
        case 404:
            return _NotThereError(_deleted_version(fault.body))
        case _ if fault.transient:
            return TransientError("vault_unavailable", f"{fault}.")
        case _:
            return ConfigError("vault_refused", f"{fault}: is SMOS_VAULT_ADDR that of Vault or OpenBao?")


def _deleted_version(body: str) -> int | None:
    try:
        return _ANSWER.validate_python(json.loads(body)).data.metadata.version
    except ValueError:
        return None


def _unreadable(path: str) -> ConfigError:
    return ConfigError("vault_unreadable", f"Vault's answer to {path} is not as expected.")
