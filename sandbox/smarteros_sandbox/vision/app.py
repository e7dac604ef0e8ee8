"""The stand-in Cloud Vision as an ASGI app.

Faults (service "vision", scope = tenant id): ``slow`` (seconds before the answer), ``hang`` (seconds, then
504), ``http_500``, ``quota`` (429 RESOURCE_EXHAUSTED), ``invalid_key`` (400 API_KEY_INVALID),
``low_confidence`` (every picture is read as if it were blurred), ``image_error`` (each picture fails).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.shops.untyped import as_list, as_object
from smarteros_sandbox.shops.wire import BodyError, WireJson, hang_as_told, read_json, wait_as_told
from smarteros_sandbox.vision.annotation import annotate
from smarteros_sandbox.vision.pictures import look_at

SERVICE = "vision"
LARGEST_BODY = 10_485_760
MOST_IMAGES = 16
TEXT_FEATURES = {"TEXT_DETECTION", "DOCUMENT_TEXT_DETECTION"}
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"

Json = dict[str, Any]


class VisionError(Exception):
    """An answer in Google's error format."""

    def __init__(self, code: int, status: str, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.body: Json = {"error": {"code": code, "message": message, "status": status}}
        if reason:
            metadata = {"service": "vision.googleapis.com"}
            info = {"@type": ERROR_INFO, "reason": reason, "domain": "googleapis.com", "metadata": metadata}
            self.body["error"]["details"] = [info]


def create_vision_app(shops: Sequence[DemoShop], faults: Faults) -> Starlette:
    """The app for these shops; the API key decides whose quota is used."""
    server = VisionServer(shops, faults)
    routes = [
        Route("/v1/images:annotate", server.images, methods=["POST"]),
        Route("/v1/files:annotate", server.files, methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {404: _unknown_path, 405: _unknown_path}
    return Starlette(routes=routes, exception_handlers=handlers)


async def _unknown_path(_request: Request, _error: Exception) -> Response:
    return WireJson(VisionError(404, "NOT_FOUND", "Requested entity was not found.").body, 404)


class VisionServer:
    """The two annotate methods."""

    def __init__(self, shops: Sequence[DemoShop], faults: Faults) -> None:
        self._keys = {shop.spec.tenant_id: shop.spec.vision_api_key for shop in shops}
        self._faults = faults

    async def images(self, request: Request) -> Response:
        """``images:annotate``: one response per request, errors of one picture stay with it."""
        try:
            tenant_id = self._authenticate(request)
            await wait_as_told(self._faults, SERVICE, tenant_id)
            if await hang_as_told(self._faults, SERVICE, tenant_id):
                raise VisionError(504, "DEADLINE_EXCEEDED", "Deadline exceeded.")
            self._fail_as_told(tenant_id)
            poor = self._faults.take(SERVICE, "low_confidence", tenant_id) is not None
            failing = self._faults.take(SERVICE, "image_error", tenant_id) is not None
            wanted = await _read_requests(request)
            contents = [_content(one, position) for position, one in enumerate(wanted)]
        except VisionError as error:
            return WireJson(error.body, error.code)
        answers = [
            _answer(one, content, poor=poor, failing=failing) for one, content in zip(wanted, contents, strict=True)
        ]
        return WireJson({"responses": answers})

    async def files(self, request: Request) -> Response:
        """``files:annotate`` (PDF): the stand-in renders no PDF and says so."""
        try:
            self._authenticate(request)
            raise VisionError(501, "UNIMPLEMENTED", "The sandbox does not annotate files.")
        except VisionError as error:
            return WireJson(error.body, error.code)

    def _authenticate(self, request: Request) -> str:
        key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
        if not key:
            message = (
                "Method doesn't allow unregistered callers (callers without established identity). Please "
                "use API Key or other form of API consumer identity to call this API."
            )
            raise VisionError(403, "PERMISSION_DENIED", message)
        given = key.encode("utf-8", "replace")
        owners = [one for one, known in self._keys.items() if hmac.compare_digest(known.encode(), given)]
        if not owners or self._faults.take(SERVICE, "invalid_key", owners[0]):
            raise _invalid_key()
        return owners[0]

    def _fail_as_told(self, tenant_id: str) -> None:
        if self._faults.take(SERVICE, "http_500", tenant_id):
            raise VisionError(500, "INTERNAL", "Internal error encountered.")
        if self._faults.take(SERVICE, "quota", tenant_id):
            message = (
                "Quota exceeded for quota metric 'All requests' and limit 'All requests per minute' of "
                "service 'vision.googleapis.com'."
            )
            raise VisionError(429, "RESOURCE_EXHAUSTED", message, "RATE_LIMIT_EXCEEDED")


def _invalid_key() -> VisionError:
    message = "API key not valid. Please pass a valid API key."
    return VisionError(400, "INVALID_ARGUMENT", message, "API_KEY_INVALID")


async def _read_requests(request: Request) -> list[Json]:
    try:
        body: Any = await read_json(request, LARGEST_BODY)
    except BodyError as error:
        raise _invalid("Invalid JSON payload received.") from error
    except HTTPException as error:
        message = f"Request payload size exceeds the limit: {LARGEST_BODY} bytes."
        raise _invalid(message) from error
    wanted = [as_object(one) for one in as_list((as_object(body) or {}).get("requests")) or []]
    known = [one for one in wanted if one is not None]
    if not known or len(known) < len(wanted):
        raise _invalid("Invalid JSON payload received. 'requests' must be a list of objects.")
    if len(known) > MOST_IMAGES:
        raise _invalid("Too many images per request.")
    return known


def _invalid(message: str) -> VisionError:
    return VisionError(400, "INVALID_ARGUMENT", message)


def _content(wanted: Json, position: int) -> bytes | None:
    """The picture's bytes; None when only a URL is given (the stand-in fetches nothing)."""
    content: Any = (as_object(wanted.get("image")) or {}).get("content")
    if content is None:
        return None
    try:
        return base64.b64decode(content, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        where = f"requests[{position}].image.content"
        raise _invalid(f"Invalid value at '{where}' (TYPE_BYTES), Base64 decoding failed") from error


def _answer(wanted: Json, content: bytes | None, *, poor: bool, failing: bool) -> Json:
    features = as_list(wanted.get("features"))
    if not features or as_object(wanted.get("image")) is None:
        return _image_error(3, "Request must specify image and features.")
    if content is None:
        return _image_error(7, "We can not access the URL currently. Please download the content instead.")
    picture = None if failing else look_at(content)
    if picture is None:
        return _image_error(3, "Bad image data.")
    kinds = {str((as_object(one) or {}).get("type")) for one in features}
    return annotate(picture, poor=poor) if kinds & TEXT_FEATURES else {}


def _image_error(code: int, message: str) -> Json:
    return {"error": {"code": code, "message": message}}
