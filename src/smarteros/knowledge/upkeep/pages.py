"""A page of the shop's own site as a document: fetched within bounds, read by what it says it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from smarteros.channels.outside import Door, OutsideFetcher, resolve_all
from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.knowledge import Document
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import TRANSIENT_STATUS, Fetched, HttpClient
from smarteros.knowledge.formats.files import MAX_BINARY_BYTES, read_bytes

TOTAL_SECONDS = 30.0
_LONGEST_NAME = 200
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ENDING_OF_TYPE = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    _DOCX: ".docx",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "application/json": ".json",
}
# What says little: the name of the file, or how it begins, says more.
_VAGUE = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream", "application/zip"})
_ENDINGS = frozenset({".md", ".markdown", ".txt", ".json", ".html", ".htm", ".docx", ".pdf"})
_BEGINNINGS = ((b"%PDF-", ".pdf"), (b"PK\x03\x04", ".docx"), (b"<!doctype html", ".html"), (b"<html", ".html"))


@dataclass(frozen=True)
class Validators:
    """What a server said of the state of a page (RFC 9110, 8.8), to ask whether it is still that."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers of a request that is answered 304 when nothing has changed."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True)
class Page:
    """What was fetched. ``document`` is None when the server says that nothing has changed."""

    document: Document | None
    validators: Validators


@dataclass(frozen=True)
class PageReader:
    """Reads pages of tenants' sites.

    ``trusted`` are origins of the installation whose addresses may be private (a site on the operator's own network,
    the demo's); any other host must be on the open internet. The host of the page itself is allowed, redirects only to
    it, to the same host with or without ``www.``, and to those the tenant's settings list.
    """

    http: HttpClient
    trusted: tuple[str, ...] = ()
    resolve: Callable[[str, int], tuple[str, ...]] = resolve_all
    total_seconds: float = TOTAL_SECONDS

    def read(self, tenant: Tenant, url: str, name: str | None = None, known: Validators | None = None) -> Page:
        """Fetch a page and read it as a document called ``name``, by default after its address.

        RejectedInputError for an address that is not allowed, a page beyond the bounds or of no kind that can be read;
        PermanentError for one that is not there; TransientError for what may pass.
        """
        outside = OutsideFetcher(self.http, "page", "page", MAX_BINARY_BYTES, self.total_seconds, resolve=self.resolve)
        door = Door(hosts=(*_hosts_of(url), *tenant.kb.page_hosts), trusted=(tenant.chatwoot_url, *self.trusted))
        headers = {"User-Agent": "SmarterOS", "Accept": "*/*", **(known or Validators()).headers()}
        answer = outside.follow(url, door, outside.deadline(), headers)
        validators = Validators(answer.headers.get("etag"), answer.headers.get("last-modified"))
        if answer.status == 304 and known is not None:
            return Page(None, known)
        if answer.status in TRANSIENT_STATUS:
            raise TransientError("page_unavailable", f"{_shown(url)}: HTTP {answer.status}")
        if answer.status != 200:
            raise PermanentError("page_refused", f"{_shown(url)}: HTTP {answer.status}")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise RejectedInputError("page_packed", f"{_shown(url)}: it comes packed though it was asked for plain")
        return Page(_document(name or name_of(url), url, answer), validators)


def name_of(url: str) -> str:
    """Return the name of a page's document: its host and path."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.hostname or ''}{unquote(parts.path).rstrip('/')}{query}"[:_LONGEST_NAME]


def _document(name: str, url: str, answer: Fetched) -> Document:
    said = Message()
    said["Content-Type"] = answer.headers.get("content-type", "")
    kind = said.get_content_type() if answer.headers.get("content-type") else ""
    ending = _ending(kind, url, answer.body)
    if ending is None:
        raise RejectedInputError(
            "page_unreadable", f"{_shown(url)}: {kind or 'it'} is no HTML, PDF, DOCX, Markdown, JSON or text"
        )
    data = answer.body
    charset = said.get_content_charset()
    if charset and ending not in (".pdf", ".docx"):
        with suppress(LookupError, UnicodeError):  # it is something else than it says: the reader finds out
            data = data.decode(charset).encode()
    return read_bytes(name, data, ending)


def _ending(kind: str, url: str, body: bytes) -> str | None:
    if kind not in _VAGUE:
        return _ENDING_OF_TYPE.get(kind)
    head = body[:64].lstrip().lower()
    found = next((ending for sign, ending in _BEGINNINGS if head.startswith(sign.lower())), None)
    ending = PurePosixPath(urlsplit(url).path).suffix.lower()
    return found or (ending if ending in _ENDINGS else ".txt" if kind == "text/plain" else None)


def _hosts_of(url: str) -> tuple[str, ...]:
    """Return the page's host with its port, and the same with or without www."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ()
    names = (host, host.removeprefix("www.") if host.startswith("www.") else f"www.{host}")
    return names if port is None else tuple(f"{name}:{port}" for name in names)


def _shown(url: str) -> str:
    """Return the address without its query, which may hold a token."""
    return url.split("?", 1)[0][:200]
