# SPDX-License-Identifier: EUPL-1.2
"""Values on their way out of SQL, into the common form.

docs/formats/mapping.md §Values. One small function per asked value, made once per plan. Whatever
does not read as the common model says is unknown (`None`), never passed on as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from gateway.sources.codes import CodeList
from gateway.sources.mapping import Spec
from gateway.sources.record import NEVER, Value

__all__ = ["Decoder", "code_of", "decoder", "key_text", "surrogate_bytes", "text_of"]

Decoder = Callable[[Any], Value]

_TRUTHS: dict[Any, bool] = {
    **dict.fromkeys((True, 1, "1", "t", "true", "yes"), True),
    **dict.fromkeys((False, 0, "0", "f", "false", "no"), False),
}
_SURROGATE = 16
_LARGE = 10**18
_REMEMBERED = 4096


def decoder(spec: Spec, *, trait: bool) -> Decoder:
    """How one value of `spec` is read.

    For a trait, one unreadable piece makes the whole list unknown and a moment becomes its day;
    for a field, unreadable pieces are left out.
    """
    if spec.value is not None:
        constant = _single(spec)(spec.value)
        fixed: Value = (str(constant),) if spec.many else constant
        return lambda _raw: fixed
    if spec.child is not None and not spec.child.column:
        return lambda raw: None if raw is None else bool(raw)
    one = _single(spec)
    if spec.kind.type == "date" and (trait or not _keeps_time(spec.name)):
        one = _day(one)
    if spec.split and spec.part is not None:
        one = _piece(spec, one)
    read = _many(spec, one, strict=trait) if spec.many else one
    if spec.empty == "none" and not (spec.child is not None and not trait):
        read = _none_when_empty(read, _none_of(spec))
    few = trait or spec.codes is not None or spec.kind.type in {"date", "bool", "code"}
    listed = spec.child is not None or (spec.many and not spec.split)
    return _Remembered(read).__getitem__ if few and not listed else read


class _Remembered(dict[Any, Value]):
    """Native values already read, for columns that hold few different ones: codes, days, flags.

    A page is mostly such columns, and a look-up in C is what makes it cheap. Bounded; names and
    numbers of persons are never kept. A column holds one type, so 1 and True do not meet here.
    """

    def __init__(self, decode: Decoder) -> None:
        super().__init__()
        self._decode = decode

    def __missing__(self, raw: Any) -> Value:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[raw] = self._decode(raw)
        return value


def key_text(raw: Any) -> str:
    """A key as text: what `ByReference` and `after` take back."""
    if isinstance(raw, bytes):
        return raw.hex()
    return str(raw)


def code_of(raw: Any) -> str:
    """A native value as the key of a code list."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, Decimal | float) and isfinite(raw) and -_LARGE < raw < _LARGE:
        return str(int(raw)) if raw % 1 == 0 else str(raw)
    return str(raw).strip()


def surrogate_bytes(raw: Any) -> bytes | None:
    """The 16 bytes of a surrogate held as hex, UUID or bytes; None when it is none of them."""
    if raw is None:
        return None
    if isinstance(raw, bytes | bytearray | memoryview):
        value = bytes(raw)
        return value if len(value) == _SURROGATE else None
    try:
        value = bytes.fromhex(str(raw).strip().replace("-", ""))
    except ValueError:
        return None
    return value if len(value) == _SURROGATE else None


def _single(spec: Spec) -> Decoder:
    match spec.kind.type:
        case "date" if spec.date is not None:
            return spec.date.decode
        case "bool":
            return _coded_truth(spec.codes) if spec.codes is not None else _truth
        case "int":
            return _integer
        case "code" if spec.codes is not None:
            return _coded(spec.codes)
        case _:
            return _coded(spec.codes) if spec.codes is not None else text_of


def text_of(raw: Any) -> Value:
    """A plain text; blanks at its end are padding, bytes are none."""
    if raw is None or isinstance(raw, bytes | bytearray | memoryview):
        return None
    return (raw if type(raw) is str else str(raw)).rstrip() or None


def _integer(raw: Any) -> Value:
    if raw is None or isinstance(raw, bool):
        return None
    try:
        return int(raw)
    except (TypeError, ValueError, OverflowError):
        return None


def _truth(raw: Any) -> Value:
    if isinstance(raw, str):
        return _TRUTHS.get(raw.strip().lower())
    return _TRUTHS.get(raw) if isinstance(raw, int | Decimal) else None


def _coded(codes: CodeList) -> Decoder:
    native = codes.native

    def decode(raw: Any) -> Value:
        found = native.get(raw) if type(raw) is str else None
        return found or (None if raw is None else native.get(code_of(raw)))

    return decode


def _coded_truth(codes: CodeList) -> Decoder:
    native = {code: common == "yes" for code, common in codes.native.items()}
    return lambda raw: None if raw is None else native.get(code_of(raw))


def _keeps_time(field: str) -> bool:
    return field.endswith(("_at", ".as_of"))


def _day(decode: Decoder) -> Decoder:
    def read(raw: Any) -> Value:
        value = decode(raw)
        return value.date() if isinstance(value, datetime) else value

    return read


def _piece(spec: Spec, decode: Decoder) -> Decoder:
    split, part = spec.split, spec.part or 0

    def read(raw: Any) -> Value:
        pieces = str(raw).split(split) if raw is not None else []
        return decode(pieces[part].strip()) if part < len(pieces) else None

    return read


def _many(spec: Spec, decode: Decoder, *, strict: bool) -> Decoder:
    pieces = _pieces(spec)

    def read(raw: Any) -> Value:
        found = pieces(raw)
        if found is None:
            return None
        values = [decode(piece) for piece in found]
        if strict and (not values or None in values):
            return None
        return tuple(dict.fromkeys(str(value) for value in values if value is not None))

    return read


def _pieces(spec: Spec) -> Callable[[Any], Iterable[Any] | None]:
    if spec.child is not None:
        return _listed
    split = spec.split
    if split:
        return lambda raw: (
            None if raw is None else [p.strip() for p in str(raw).split(split) if p.strip()]
        )
    return lambda raw: None if raw is None or raw == "" else raw if type(raw) is list else (raw,)


def _listed(raw: Any) -> Iterable[Any] | None:
    """A child table's values: an array where the database has them, JSON elsewhere."""
    if raw is None:
        return []
    try:
        values = raw if isinstance(raw, list) else json.loads(raw)
    except (ValueError, TypeError):
        return None
    return sorted(values, key=str) if isinstance(values, list) else None


def _none_of(spec: Spec) -> Value:
    """What "the register records none" reads as, by kind."""
    if spec.many:
        return ()
    if spec.kind.type == "bool":
        return False
    return NEVER if spec.kind.type == "date" and spec.name == "reflection_until" else None


def _none_when_empty(read: Decoder, none: Value) -> Decoder:
    def empty_or(raw: Any) -> Value:
        return none if raw is None or raw in ("", "[]") or raw == [] else read(raw)

    return empty_or
