"""What a model of the domain tells besides its fields: properties, which a contract's texts may read as well."""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel

_DOMAIN = "smarteros.domain."


@cache
def derived_from(model: type[BaseModel]) -> dict[str, Any]:
    """Return the types of a model's own properties by name; of models outside the domain, and of pydantic's, none."""
    own = (vars(base) for base in model.mro() if base.__module__.startswith(_DOMAIN))
    getters = {
        name: member.fget
        for members in own
        for name, member in members.items()
        if isinstance(member, property) and member.fget is not None and not name.startswith("_")
    }
    return {name: get_type_hints(getter)["return"] for name, getter in getters.items()}
