"""JSON-RPC as Odoo 14 to 19 speak it at ``/jsonrpc``: services ``common`` and ``object``.

Every answer has HTTP status 200; an error is a member of the body (``JsonRPCDispatcher.handle_error``).
"""

from __future__ import annotations

from typing import Any

from smarteros_sandbox.odoo.errors import OdooError, user_error, wrong_arguments
from smarteros_sandbox.odoo.methods import PARAMETERS, Call
from smarteros_sandbox.shops.untyped import as_list, as_object

# Methods of a record set: their first argument is the ids.
OF_RECORDS = frozenset({"read"})


def success(request_id: Any, result: Any) -> dict[str, Any]:
    """The body of an answer."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def failure(request_id: Any, error: OdooError) -> dict[str, Any]:
    """The body of an error; ``data.debug`` carries a traceback, which a client must not log."""
    told = {"code": 200, "message": "Odoo Server Error", "data": error.body()}
    return {"jsonrpc": "2.0", "id": request_id, "error": told}


def version_answer(version: str) -> dict[str, Any]:
    """``common.version``."""
    major = int(version.partition(".")[0])
    info = [major, 0, 0, "final", 0, ""]
    return {"server_version": version, "server_version_info": info, "server_serie": version, "protocol_version": 1}


def called(model: Any, method: Any, args: Any, kwargs: Any) -> Call:
    """Read the last four arguments of ``execute_kw``; positional ones get the names of the method's signature."""
    places, named = as_list(args if args is not None else []), as_object(kwargs if kwargs is not None else {})
    if not isinstance(model, str) or not isinstance(method, str) or places is None or named is None:
        raise wrong_arguments("execute_kw(db, uid, password, model, method, args, kw)")
    named = dict(named)
    context = as_object(named.pop("context", None) or {})
    given: Any = places.pop(0) if method in OF_RECORDS and places else []
    ids = [given] if isinstance(given, int) else as_list(given)
    if context is None or ids is None or not all(type(one) is int for one in ids):
        raise wrong_arguments("ids and context are expected")
    names = PARAMETERS.get(method, ())
    if len(places) > len(names):
        raise OdooError(500, "builtins.TypeError", f"{method:.100}() takes {len(names)} positional arguments")
    return Call(model, method, ids, {**dict(zip(names, places, strict=False)), **named}, context)


def unknown_model(model: str) -> OdooError:
    """``execute_cr`` for a model that is not installed."""
    return user_error(f"Object {model:.100} doesn't exist")
