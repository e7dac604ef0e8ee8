"""Functions of graphql-core whose annotations leave type parameters open, behind plain signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphql

_core: Any = graphql

is_list_type: Callable[[Any], bool] = _core.is_list_type
is_non_null_type: Callable[[Any], bool] = _core.is_non_null_type
named_type: Callable[[Any], Any] = _core.get_named_type
nullable_type: Callable[[Any], Any] = _core.get_nullable_type
default_field_resolver: Callable[..., Any] = _core.default_field_resolver
execute_sync: Callable[..., graphql.ExecutionResult] = _core.execute_sync
