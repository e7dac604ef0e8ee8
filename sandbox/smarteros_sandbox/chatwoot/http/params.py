"""Request parameters as Rails sees them: query and body in one bag, read tolerantly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from smarteros_sandbox.chatwoot.errors import ApiError
from smarteros_sandbox.chatwoot.messages import MAX_ATTACHMENTS, Upload
from smarteros_sandbox.chatwoot.records import JsonObject
from smarteros_sandbox.chatwoot.values import (
    as_flag,
    as_integer,
    as_list,
    as_object,
    as_object_or_json,
    as_text,
    as_texts,
    parse_strictly,
)

MAX_FORM_PARTS = 200
# One part may hold a whole message text of 150,000 signs.
MAX_PART_BYTES = 1024 * 1024
_KEY = re.compile(r"^(?P<name>[^\[\]]+)\[(?P<inner>[^\[\]]*)\]$")


class Params(Mapping[str, object]):
    """The merged parameters. A value of the wrong type reads as absent."""

    def __init__(self, values: JsonObject, uploads: tuple[Upload, ...] = ()) -> None:
        self._values = values
        self.uploads = uploads

    def __getitem__(self, name: str) -> object:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str) -> str | None:
        """A scalar as text."""
        return as_text(self._values.get(name))

    def integer(self, name: str) -> int | None:
        """A whole number."""
        return as_integer(self._values.get(name))

    def flag(self, name: str) -> bool:
        """A truth value; absent is false."""
        return as_flag(self._values.get(name))

    def object(self, name: str) -> JsonObject:
        """A JSON object."""
        return as_object_or_json(self._values.get(name))

    def list(self, name: str) -> list[Any]:
        """A JSON array."""
        return as_list(self._values.get(name))

    def texts(self, name: str) -> list[str]:
        """An array's scalars as text."""
        return as_texts(self._values.get(name))

    def nested(self, name: str) -> Params:
        """The parameters under a root key when the client wrapped them, else these."""
        inner = as_object(self._values.get(name))
        return Params(inner, self.uploads) if inner else self


async def read_params(request: Request) -> Params:
    """Query and body of a request; 400 for a body that cannot be read."""
    values: JsonObject = dict(request.query_params)
    if request.method in {"GET", "HEAD"}:
        return Params(values)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "multipart/form-data":
        form, uploads = await _multipart(request)
        return Params(values | form, uploads)
    body = await request.body()
    if content_type == "application/x-www-form-urlencoded":
        return Params(values | _nest(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    return Params(values | (parse_json(body) if body.strip() else {}))


def parse_json(body: bytes) -> JsonObject:
    """A JSON object; any other JSON value counts as no parameters, no JSON at all is 400."""
    try:
        return as_object(parse_strictly(body.decode()))
    except ValueError:
        raise ApiError(400, {"status": 400, "error": "Bad Request"}) from None


async def _multipart(request: Request) -> tuple[JsonObject, tuple[Upload, ...]]:
    fields: list[tuple[str, str]] = []
    uploads: list[Upload] = []
    # One file more than allowed gets through, so that the limit is answered as Chatwoot answers it.
    async with request.form(
        max_files=MAX_ATTACHMENTS + 1, max_fields=MAX_FORM_PARTS, max_part_size=MAX_PART_BYTES
    ) as form:
        await _collect(form, fields, uploads)
    return _nest(fields), tuple(uploads)


async def _collect(form: FormData, fields: list[tuple[str, str]], uploads: list[Upload]) -> None:
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            uploads.append(Upload(_clean(value.filename or ""), value.content_type, await value.read()))
        else:
            fields.append((_clean(name), _clean(value)))


def _clean(text: str) -> str:
    """The client names the charset of a form, and some of them yield lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _nest(fields: list[tuple[str, str]]) -> JsonObject:
    """``a[]`` makes a list and ``a[b]`` an object, one level deep."""
    values: JsonObject = {}
    for key, value in fields:
        match = _KEY.match(key)
        if match is None:
            values[key] = value
            continue
        name, inner = match["name"], match["inner"]
        if inner:
            nested = as_object(values.get(name))
            nested[inner] = value
            values[name] = nested
        else:
            values[name] = [*as_list(values.get(name)), value]
    return values
