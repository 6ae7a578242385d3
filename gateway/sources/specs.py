# SPDX-License-Identifier: EUPL-1.2
"""Reads one field, trait, search column, join or condition of a mapping file.

docs/formats/mapping.md §Fields to §Conditions. Used by gateway.sources.mapping_file only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import yaml

from gateway.sources.codes import BUILT_IN, CodeList
from gateway.sources.common import Kind
from gateway.sources.dates import DateForm, date_form
from gateway.sources.mapping import Child, Column, Condition, Join, Search, Spec
from gateway.sources.reading import Reading, line_of

__all__ = ["SpecReader"]

_SPEC_KEYS = "column table key of exists value date codes split part many empty where"
_FORMS = {"mrz", "written", "exact"}


@dataclass(slots=True)
class SpecReader:
    """Reads specs of one section. `aliases` are the joins that its columns may name."""

    reading: Reading
    codes: Mapping[str, CodeList]
    aliases: set[str]
    of: Literal["record", "person"]
    """whose key a child table holds when the spec does not say"""
    personal: bool = True

    def spec(self, name: str, node: yaml.Node, kind: Kind) -> Spec | None:
        """One field or trait; None, with problems noted, when it cannot be read."""
        before = len(self.reading.problems)
        keys = self.reading.keyed(node, name, may=_SPEC_KEYS)
        column, child, value = self._place(name, node, keys)
        split, part = self._split(name, keys)
        spec = Spec(
            line=line_of(node),
            name=name,
            kind=kind,
            column=column,
            child=child,
            value=value,
            date=self._date(name, keys.get("date"), kind),
            codes=self._codes(name, keys.get("codes"), kind),
            split=split,
            part=part,
            many=kind.many or self._flag(name, "many", keys) or (bool(split) and part is None),
            empty=self._empty(name, keys.get("empty")),
        )
        self._sensible(spec, node, keys)
        return spec if len(self.reading.problems) == before else None

    def search(self, name: str, node: yaml.Node) -> Search | None:
        """One search column."""
        before = len(self.reading.problems)
        keys = self.reading.keyed(node, name, need="column", may="table key where form date")
        column, child, _ = self._place(name, node, keys)
        form = self.reading.text(keys.get("form"), "form") or self._usual_form(name)
        if form not in _FORMS or (form == "exact") != (name not in {"surnames", "forenames"}):
            self.reading.refuse(node, f"{name}: form is mrz or written for names, else left out")
        day = None
        if name == "date_of_birth":
            day = self._date(name, keys.get("date"), Kind("date"))
            if day is not None and day.timed and not day.sortable:
                self.reading.refuse(node, f"{name}: a birth date has no time of day")
        elif "date" in keys:
            self.reading.refuse(keys["date"], f"{name} is no date; remove date")
        if len(self.reading.problems) != before:
            return None
        known = cast("Literal['mrz', 'written', 'exact']", form)
        return Search(line_of(node), name, column, child, known, day)

    def join(self, node: yaml.Node) -> Join | None:
        """One joined table; its alias may be used from here on."""
        before = len(self.reading.problems)
        keys = self.reading.keyed(node, "a join", need="table as on", may="where")
        table = self.reading.text(keys.get("table"), "table")
        alias = self.reading.text(keys.get("as"), "as")
        on = tuple(
            (name, column)
            for name, value in self.reading.entries(keys.get("on"), "on")
            if (column := self.column(value, "on")) is not None
        )
        if "on" in keys and not on:
            self.reading.refuse(keys["on"], "on needs at least one pair of columns")
        if alias is not None and (alias in self.aliases or alias == "person" or "." in alias):
            self.reading.refuse(node, f"alias {alias} is taken or not allowed; choose another")
        where = self.conditions(keys.get("where"))
        if len(self.reading.problems) != before or table is None or alias is None:
            return None
        self.aliases.add(alias)
        return Join(line_of(node), table, alias, on, where)

    def conditions(self, node: yaml.Node | None) -> tuple[Condition, ...]:
        """`where`: every entry must hold."""
        found = []
        for name, value in self.reading.entries(node, "where"):
            line = line_of(value)
            if isinstance(value, yaml.SequenceNode):
                texts = [self.reading.text(item, f"where {name}") for item in value.value]
                kept = tuple(text for text in texts if text is not None)
                found.append(Condition(line, name, values=kept))
                if not texts:
                    self.reading.refuse(value, f"where {name} lists no value")
            elif isinstance(value, yaml.MappingNode):
                keys = self.reading.keyed(value, f"where {name}", need="is")
                word = self.reading.text(keys.get("is"), "is")
                if word not in {"empty", "present", None}:
                    self.reading.refuse(value, f"where {name}: is takes empty or present")
                found.append(Condition(line, name, empty=word == "empty"))
            elif (text := self.reading.text(value, f"where {name}")) is not None:
                found.append(Condition(line, name, values=(text,)))
        return tuple(found)

    def column(self, node: yaml.Node | None, what: str) -> Column | None:
        """A column reference: `col`, `alias.col`, `person.col` or `person.alias.col`."""
        text = self.reading.text(node, what)
        if text is None or node is None:
            return None
        table, _, name = text.rpartition(".")
        if not name or (table and table not in self.aliases):
            known = ", ".join(sorted(self.aliases)) or "none"
            self.reading.refuse(node, f"{what}: {text} names no joined table; known: {known}")
            return None
        return Column(table, name)

    def _place(
        self, name: str, node: yaml.Node, keys: Mapping[str, yaml.Node]
    ) -> tuple[Column | None, Child | None, str | None]:
        """Exactly one place that the value comes from."""
        if "value" in keys:
            if len(keys) > 1:
                self.reading.refuse(node, f"{name}: value stands alone")
            return None, None, self.reading.text(keys["value"], "value")
        if "exists" in keys or "table" in keys:
            return None, self._child(name, node, keys), None
        for word in ("key", "of", "where"):
            if word in keys:
                self.reading.refuse(keys[word], f"{name}: {word} belongs to table or exists")
        if "column" not in keys:
            self.reading.refuse(node, f"{name} needs one of column, table, exists, value")
        return self.column(keys.get("column"), name), None, None

    def _child(self, name: str, node: yaml.Node, keys: Mapping[str, yaml.Node]) -> Child | None:
        exists = "exists" in keys
        if "key" not in keys or exists == ("column" in keys) or (exists and "table" in keys):
            told = "exists, key (and where)" if exists else "table, key and column (and where)"
            self.reading.refuse(node, f"{name} needs {told}")
        table = self.reading.text(keys.get("exists") or keys.get("table"), "table")
        key = self.reading.text(keys.get("key"), "key")
        column = self.reading.text(keys.get("column"), "column") or ""
        of = self.reading.text(keys.get("of"), "of") or self.of
        if of not in {"record", "person"} or (of == "person" and not self.personal):
            self.reading.refuse(node, f"{name}: of is record or person, and a person there must be")
        if table is None or key is None:
            return None
        known = cast("Literal['record', 'person']", of)
        return Child(table, key, column, known, self.conditions(keys.get("where")))

    def _date(self, name: str, node: yaml.Node | None, kind: Kind) -> DateForm | None:
        if kind.type != "date":
            if node is not None:
                self.reading.refuse(node, f"{name} is no date in the common model; remove date")
            return None
        text = self.reading.text(node, "date") if node is not None else "native"
        if text is None:
            return None
        try:
            return date_form(text)
        except ValueError as error:
            self.reading.refuse(node or 1, f"{name}: {error}")
            return None

    def _codes(self, name: str, node: yaml.Node | None, kind: Kind) -> CodeList | None:
        if node is None:
            return BUILT_IN[kind.codes] if kind.type == "code" else None
        asked = self.reading.text(node, "codes")
        found = self.codes.get(asked or "") or BUILT_IN.get(asked or "")
        if asked is None or found is None:
            known = ", ".join(sorted({*self.codes, *BUILT_IN}))
            self.reading.refuse(node, f"{name}: no code list {asked}; known: {known}")
            return None
        if kind.type in {"date", "int"} or (kind.codes and kind.codes != found.common):
            wanted = kind.codes or "no codes"
            self.reading.refuse(node, f"{name} takes {wanted}, not the list {asked}")
        return found

    def _split(self, name: str, keys: Mapping[str, yaml.Node]) -> tuple[str, int | None]:
        node = keys.get("split")
        split = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        if node is not None and not split:
            self.reading.refuse(node, f"{name}: split is the text between two pieces")
        part = self.reading.text(keys.get("part"), "part")
        if part is None:
            return split, None
        if not split or not (part.isascii() and part.isdigit()):
            self.reading.refuse(keys["part"], f"{name}: part counts the pieces of split from 0")
            return split, None
        return split, int(part)

    def _flag(self, name: str, key: str, keys: Mapping[str, yaml.Node]) -> bool:
        text = self.reading.text(keys.get(key), key)
        if text not in {None, "yes", "no"}:
            self.reading.refuse(keys[key], f"{name}: {key} is yes or no")
        return text == "yes"

    def _empty(self, name: str, node: yaml.Node | None) -> Literal["unknown", "none"]:
        text = self.reading.text(node, "empty")
        if node is not None and text not in {"unknown", "none"}:
            self.reading.refuse(node, f"{name}: empty reads as unknown or as none")
        return "none" if text == "none" else "unknown"

    def _sensible(self, spec: Spec, node: yaml.Node, keys: Mapping[str, yaml.Node]) -> None:
        """Combinations that would read, but not as their writer thinks."""
        exists = spec.child is not None and not spec.child.column
        if exists and (spec.kind.type != "bool" or {"date", "codes", "split", "many"} & {*keys}):
            self.reading.refuse(node, f"{spec.name}: exists answers yes or no and nothing else")
        if spec.child is not None and not exists and not spec.many:
            self.reading.refuse(node, f'{spec.name}: a table gives several values; say many: "yes"')
        if spec.many and spec.kind.type in {"date", "bool", "int"}:
            self.reading.refuse(node, f"{spec.name} holds one value; it cannot be many or split")
        if spec.value is not None and spec.kind.codes not in {"", "yesno"}:
            if spec.value not in BUILT_IN[spec.kind.codes].native:
                self.reading.refuse(node, f"{spec.name}: value is not in {spec.kind.codes}")
        elif (
            spec.value is not None and spec.kind.type == "bool" and spec.value not in {"yes", "no"}
        ):
            self.reading.refuse(node, f"{spec.name}: value is yes or no")

    @staticmethod
    def _usual_form(name: str) -> str:
        return "mrz" if name in {"surnames", "forenames"} else "exact"
