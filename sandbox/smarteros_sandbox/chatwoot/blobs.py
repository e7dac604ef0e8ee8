"""Uploaded files: bytes on disk, addressed by signed URLs like Active Storage's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import mimetypes
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from smarteros_sandbox.chatwoot.records import Attachment
from smarteros_sandbox.faults import Faults

MAX_BLOB_ID = 512
# Only these are shown by a browser in place; anything else (an uploaded .html above all) is downloaded.
INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that a signed id leads to."""

    path: Path
    content_type: str
    disposition: str


def file_type_of(content_type: str) -> str:
    """Chatwoot's ``FileTypeHelper#file_type``."""
    family = content_type.partition("/")[0]
    return family if family in {"image", "audio", "video"} else "file"


def safe_file_name(name: str | None) -> str:
    """A name without path, for URLs and headers."""
    cleaned = (name or "").replace("\\", "/").rpartition("/")[2].strip()
    return "".join(sign for sign in cleaned if sign.isprintable())[-120:] or "archivo"


class Blobs:
    """The blob folder. A signed id holds the blob key and the type; it needs no log-in, as in Chatwoot."""

    def __init__(self, folder: Path, faults: Faults, signing_key: bytes) -> None:
        self._folder = folder
        self._faults = faults
        self._key = signing_key
        self._ready_at: dict[str, float] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def store(self, content: bytes, *, account_id: int) -> str:
        """Keep the bytes; the fault ``attachment_404`` (milliseconds) makes them appear late (chatwoot#15540)."""
        key = secrets.token_hex(14)
        (self._folder / key).write_bytes(content)
        late = self._faults.take("chatwoot", "attachment_404", str(account_id))
        if late is not None:
            self._ready_at[key] = time.monotonic() + late.number(1000.0) / 1000.0
        return key

    def redirect_path(self, attachment: Attachment) -> str:
        """The path in ``data_url``: it answers 302 to :meth:`disk_path`."""
        return f"/rails/active_storage/blobs/redirect/{self._signed(attachment)}/{quote(attachment.file_name)}"

    def thumbnail_path(self, attachment: Attachment) -> str:
        """The path in ``thumb_url``; the stand-in does not scale and redirects to the file itself."""
        signed = self._signed(attachment)
        variation = base64.urlsafe_b64encode(b'{"resize_to_fill":[250,null]}').decode()
        name = quote(attachment.file_name)
        return f"/rails/active_storage/representations/redirect/{signed}/{variation}/{name}"

    @staticmethod
    def disk_path(signed_id: str, name: str) -> str:
        """Where the storage service serves the file."""
        return f"/rails/active_storage/disk/{signed_id}/{quote(name)}"

    def is_signed(self, signed_id: str) -> bool:
        """Whether this is an id of ours, uploaded already or not."""
        return self._claims(signed_id) is not None

    def find(self, signed_id: str) -> Blob | None:
        """The file, or None when the id is not ours, or the upload is not there yet."""
        claims = self._claims(signed_id)
        if claims is None:
            return None
        key, content_type = claims
        path = self._folder / key
        if time.monotonic() < self._ready_at.get(key, 0.0) or not path.is_file():
            return None
        return Blob(path, content_type, "inline" if content_type in INLINE_TYPES else "attachment")

    def _signed(self, attachment: Attachment) -> str:
        claims = json.dumps({"k": attachment.blob_key, "t": attachment.content_type}, separators=(",", ":"))
        body = base64.urlsafe_b64encode(claims.encode()).decode()
        return f"{body}--{self._signature(body)}"

    def _signature(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha1).hexdigest()

    def _claims(self, signed_id: str) -> tuple[str, str] | None:
        body, separator, signature = signed_id.partition("--")
        if not separator or len(signed_id) > MAX_BLOB_ID or not body.isascii() or not signature.isascii():
            return None
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        claims = json.loads(base64.urlsafe_b64decode(body))
        return str(claims["k"]), str(claims["t"])


def clean_content_type(content_type: str | None, file_name: str) -> str:
    """The type the browser named, when it is a plausible one; else the one the file's name suggests."""
    named = (content_type or "").partition(";")[0].strip().lower()
    plausible = named.isascii() and named.isprintable() and 3 <= len(named) <= 100 and named.count("/") == 1
    if plausible and named != "application/octet-stream":
        return named
    return mimetypes.guess_type(file_name)[0] or "application/octet-stream"
