"""The public methods of a model: search, search_count, search_read, read, fields_get, and create for two of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from smarteros_sandbox.odoo.domain import DomainEvaluator
from smarteros_sandbox.odoo.errors import (
    access_error,
    missing_record,
    not_found,
    user_error,
    value_error,
    wrong_arguments,
)
from smarteros_sandbox.odoo.fields import CREATABLE, DEFAULT_ORDERS, MODEL_LABELS, MODELS, MODULE_OF_MODEL
from smarteros_sandbox.odoo.records import BOT_ID, Record, RecordBuilder, Tables
from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.shops.untyped import as_list, as_object

INSTALLED_LANGUAGES = ("en_US",)
WRITE_METHODS = ("create", "write", "unlink", "copy")
MOST_RECORDS = 10_000
# Parameters per method; ids is the record set of read, the others are called on the model.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "search": ("domain", "offset", "limit", "order"),
    "search_count": ("domain", "limit"),
    "search_read": ("domain", "fields", "offset", "limit", "order", "load"),
    "read": ("fields", "load"),
    "fields_get": ("allfields", "attributes"),
    "create": ("vals_list",),
    "context_get": (),
}
REQUIRED = {"search": "domain", "search_count": "domain", "create": "vals_list"}


@dataclass(frozen=True)
class Call:
    """One call as it came in."""

    model: str
    method: str
    ids: list[int]
    arguments: dict[str, Any]
    context: dict[str, Any] = field(default_factory=dict[str, Any])


class OdooDatabase:
    """The models of one shop."""

    def __init__(self, shop: DemoShop) -> None:
        self.shop = shop
        self._tables: Tables = RecordBuilder(shop).build()
        self._domains = DomainEvaluator(self._tables)
        self._methods: dict[str, Callable[[Call], Any]] = {
            "search": lambda call: [record["id"] for record in self._search(call)],
            "search_count": lambda call: len(self._search(call)),
            "search_read": lambda call: self._read(call, self._search(call)),
            "read": lambda call: self._read(call, self._browse(call)),
            "fields_get": self._fields_get,
            "create": self._create,
            "context_get": lambda _call: {"lang": "en_US", "tz": "America/Santiago", "uid": BOT_ID},
        }

    def has(self, model: str) -> bool:
        """Whether the model is installed."""
        return model in MODELS and MODULE_OF_MODEL.get(model, "") in ("", *self.shop.spec.odoo_modules)

    def call(self, call: Call) -> Any:
        """The method's result; ``OdooError`` for everything Odoo refuses."""
        if not self.has(call.model):
            raise not_found(f"the model {call.model!r:.100} does not exist")
        name = f"{call.model}.{call.method}"
        if call.method.startswith("_"):
            raise access_error(f"Private methods (such as '{name:.100}') cannot be called remotely.")
        if call.method in WRITE_METHODS and (call.method != "create" or call.model not in CREATABLE):
            label = MODEL_LABELS[call.model]
            raise access_error(f"You are not allowed to modify '{label}' ({call.model}) records.")
        if call.method not in self._methods or (call.method == "context_get" and call.model != "res.users"):
            raise not_found(f"The method '{name:.100}' does not exist")
        if call.ids and call.method != "read":
            raise wrong_arguments(f"cannot call {name} with ids")
        _check_arguments(call)
        _check_language(call.context)
        return self._methods[call.method](call)

    def _visible(self, call: Call) -> list[Record]:
        """Records of the companies the call works in; the key's user has one company."""
        companies = as_list(call.context.get("allowed_company_ids"))
        mine = self.shop.spec.odoo_company_id
        table = list(self._tables[call.model].values())
        if companies is None or mine in companies:
            return table
        return [record for record in table if record.get("company_id", False) is False]

    def _search(self, call: Call) -> list[Record]:
        records = self._domains.filter(call.model, self._visible(call), call.arguments.get("domain"))
        records = _ordered(call.model, records, call.arguments.get("order"))
        offset, limit = _natural(call, "offset"), _natural(call, "limit")
        return records[offset : offset + limit if limit else None]

    def _browse(self, call: Call) -> list[Record]:
        visible = {record["id"]: record for record in self._visible(call)}
        for record_id in call.ids:
            if record_id not in visible:
                raise missing_record(call.model, record_id)
        return [visible[record_id] for record_id in call.ids]

    def _read(self, call: Call, records: list[Record]) -> list[Record]:
        names = _field_names(call)
        as_pairs = call.arguments.get("load", "_classic_read") == "_classic_read"
        return [
            {"id": record["id"]} | {name: self._value(call.model, name, record, as_pairs=as_pairs) for name in names}
            for record in records
        ]

    def _create(self, call: Call) -> list[int]:
        values = as_list(call.arguments["vals_list"])
        rows = None if values is None else [as_object(row) for row in values]
        if rows is None or any(row is None for row in rows):
            raise value_error("vals_list must be a list of objects")
        table = self._tables[call.model]
        if len(table) + len(rows) > MOST_RECORDS:
            raise user_error("The table is full.")
        return [self._created(call.model, row or {}) for row in rows]

    def _created(self, model: str, values: dict[str, Any]) -> int:
        table, fields = self._tables[model], MODELS[model]
        for name, value in values.items():
            if name not in fields:
                raise value_error(f"Invalid field {name!r:.100} on {model!r}")
            if not (value is None or isinstance(value, str | int | float)):
                raise value_error(f"Wrong value for {model}.{name}: {value!r:.100}")
            relation = fields[name].relation
            if relation is not None and value not in (None, False) and value not in self._tables[relation]:
                raise missing_record(relation, value if isinstance(value, int) else 0)
        record_id = max(table, default=0) + 1
        given = {name: False if value is None else value for name, value in values.items()}
        record: Record = dict.fromkeys(fields, False) | given | {"id": record_id}
        if model == "helpdesk.ticket":
            record |= {"ticket_ref": f"{record_id:05d}", "company_id": self.shop.spec.odoo_company_id}
        if model == "mail.activity":
            document = self._tables["ir.model"].get(record["res_model_id"])
            record |= {"res_model": document["model"] if document else False, "user_id": record["user_id"] or BOT_ID}
        record["display_name"] = record.get("name") or record.get("summary") or str(record_id)
        table[record_id] = record
        return record_id

    def _value(self, model: str, name: str, record: Record, *, as_pairs: bool) -> Any:
        value = record[name]
        relation = MODELS[model][name].relation
        if MODELS[model][name].type != "many2one" or not value or not as_pairs or relation is None:
            return value
        return [value, self._tables[relation][value]["display_name"]]

    def _fields_get(self, call: Call) -> dict[str, Any]:
        wanted = as_list(call.arguments.get("allfields") or list(MODELS[call.model]))
        attributes = as_list(call.arguments.get("attributes") or [])
        if wanted is None or attributes is None:
            raise wrong_arguments("fields_get() expects lists")
        table: dict[str, Any] = {}
        for name, one in MODELS[call.model].items():
            if name not in wanted:
                continue
            description = {
                "name": name,
                "type": one.type,
                "string": one.label,
                "store": one.stored,
                "searchable": one.stored,
                "readonly": not one.stored,
                "required": False,
            }
            if one.relation:
                description["relation"] = one.relation
            table[name] = {key: value for key, value in description.items() if not attributes or key in attributes}
        return table


def _check_arguments(call: Call) -> None:
    """What Python's signature check says in Odoo."""
    for name in call.arguments:
        if name not in PARAMETERS[call.method]:
            raise wrong_arguments(f"got an unexpected keyword argument '{name:.100}'")
    required = REQUIRED.get(call.method)
    if required and required not in call.arguments:
        raise wrong_arguments(f"missing a required argument: '{required}'")


def _check_language(context: dict[str, Any]) -> None:
    language = context.get("lang")
    if language and language not in INSTALLED_LANGUAGES:
        raise user_error(f"Invalid language code: {language!s:.50}")


def _field_names(call: Call) -> list[str]:
    wanted = call.arguments.get("fields")
    if not wanted:
        return [name for name in MODELS[call.model] if name != "id"]
    names = as_list(wanted)
    if names is None:
        raise value_error(f"Invalid fields: {wanted!r:.100}")
    for name in names:
        if not isinstance(name, str) or name not in MODELS[call.model]:
            raise value_error(f"Invalid field {name!r:.100} on {call.model!r}")
    return [name for name in names if name != "id"]


def _natural(call: Call, name: str) -> int:
    value = call.arguments.get(name)
    if value in (None, False):
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise value_error(f"Invalid {name}: {value!r:.50}")
    return value


def _ordered(model: str, records: list[Record], order: Any) -> list[Record]:
    if order is not None and not isinstance(order, str):
        raise user_error(f'Invalid "order" specified ({order!r:.100}).')
    terms = [term.split() for term in (order or DEFAULT_ORDERS.get(model, "id")).split(",")]
    for term in reversed(terms):
        name = term[0] if term else ""
        direction = term[1].lower() if len(term) == 2 else "asc"
        known = MODELS[model].get(name)
        if known is None or not known.stored or len(term) > 2 or direction not in ("asc", "desc"):
            raise user_error(
                f'Invalid "order" specified ({order!r:.100}). '
                'A valid "order" specification is a comma-separated list of valid field names.'
            )
        records = sorted(records, key=lambda record: _sort_key(record[name]), reverse=direction == "desc")
    return records


def _sort_key(value: Any) -> tuple[int, Any]:
    """Empty values last, as NULLs in PostgreSQL; lists by their first id."""
    targets = as_list(value)
    if targets is not None:
        value = targets[0] if targets else False
    if value is False or value is None:
        return (2, 0)
    return (1, value) if isinstance(value, str) else (0, value)
