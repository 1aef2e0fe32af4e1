"""Questions the ORM composes once and the database is asked again and again, with other values.

Composing a statement costs several times what the database needs to answer it. So what every page asks is written with
the ORM as always, with a `Slot` where a value will stand; its SQL and the way back from columns to values are kept.
PostgreSQL plans it once for each connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import Expression, F, Field, Func, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

from . import bulk

_Record = TypeVar("_Record", bound=Model)


class Slot(Expression):
    """Stands in a query for a value that is given with each asking."""

    def __init__(self, name: str, kind: Field[Any, Any] | None = None) -> None:
        super().__init__(output_field=kind or models.BigIntegerField())
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        return "%s", [self]

    def ready(self, values: dict[str, Any]) -> Any:
        """The value as the database's driver wants it."""
        return self.output_field.get_db_prep_value(values[self.name], connection)


def moment(name: str) -> Slot:
    return Slot(name, models.DateTimeField())


def word(name: str) -> Slot:
    return Slot(name, models.TextField())


class Among(Func):
    """`rows.filter(Among("id", "ids", 3))`: the column is one of so many values, filled by `spread`."""

    def __init__(self, column: str, name: str, count: int, kind: Field[Any, Any] | None = None) -> None:
        slots = [Slot(f"{name}{number}", kind) for number in range(count)]
        super().__init__(F(column), *slots, output_field=models.BooleanField())

    def as_sql(self, compiler: SQLCompiler, connection: Any, *_: Any, **_context: Any) -> Any:
        column, *slots = (compiler.compile(one) for one in self.get_source_expressions())
        params = [param for _sql, found in (column, *slots) for param in found]
        return f"{column[0]} IN ({', '.join(sql for sql, _params in slots)})", params


def spread(name: str, values: Sequence[Any]) -> dict[str, Any]:
    return {f"{name}{number}": value for number, value in enumerate(values)}


class Kept:
    """`rows` reduced to `names`, composed now. Keep it in a cache: one for each shape of a question."""

    def __init__(self, rows: QuerySet[Any], *names: str) -> None:
        compiler: Any = rows.values_list(*names).query.get_compiler(connection=connection)
        self.names = names
        self._sql, self._params = compiler.as_sql()
        if connection.vendor == "postgresql":
            self._sql, self._params = _with_constants(self._sql, self._params)
        found = compiler.get_converters([expression for expression, _sql, _alias in compiler.select])
        self._converters = [(place, *found[place]) for place in sorted(found)]

    def ask(self, **values: Any) -> list[list[Any]]:
        """The rows, each a list of the values of `names`."""
        return self.sent(**values)()

    def sent(self, **values: Any) -> Callable[[], list[list[Any]]]:
        """Asks, and returns what reads the rows: see `bulk.ahead`."""
        params = [param.ready(values) if isinstance(param, Slot) else param for param in self._params]
        read = bulk.sent(self._sql, params)
        return lambda: self._converted([list(row) for row in read()])

    def _converted(self, rows: list[list[Any]]) -> list[list[Any]]:
        for place, converters, expression in self._converters:
            for convert in converters:
                for row in rows:
                    row[place] = convert(row[place], expression, connection)
        return rows

    def dicts(self, **values: Any) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.ask(**values)]


def _with_constants(sql: str, params: Sequence[Any]) -> tuple[str, list[Slot]]:
    """The statement with all but its slots written out: a plan that is kept takes no partial index for a value that
    comes later."""
    given = iter(params)
    slots: list[Slot] = []

    def written(sign: re.Match[str]) -> str:
        if sign[0] == "%%":
            return "%%"
        param = next(given)
        if isinstance(param, Slot):
            slots.append(param)
            return "%s"
        return Literal(param).as_string().replace("%", "%%")

    return re.sub("%%|%s", written, sql), slots


def columns(model: type[Model]) -> list[str]:
    """What `record` is made of, in its order."""
    return [field.attname for field in model._meta.concrete_fields]


def record(model: type[_Record], values: Sequence[Any]) -> _Record:
    return model.from_db(connection.alias, columns(model), values)
