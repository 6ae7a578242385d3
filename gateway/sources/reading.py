# SPDX-License-Identifier: EUPL-1.2
"""YAML read node by node, so that every refusal names its line.

A mapping file decides what leaves a register, so it gets the plainest YAML there is: mappings,
lists and scalars that are all text. Anchors, aliases, tags, merge keys, duplicate keys and unknown
keys are refused (docs/formats/mapping.md §Rejections). All problems are collected, none raised
half-way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from gateway.sources.errors import MappingProblem

__all__ = ["MAX_BYTES", "Reading"]

MAX_BYTES = 256 * 1024
_MAX_DEPTH = 12
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, built on libyaml


class Reading:
    """One file being read; `problems` grows, in the order in which they were met."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problems: list[MappingProblem] = []

    def refuse(self, at: yaml.Node | int, message: str) -> None:
        """Notes a problem at a node or a line number."""
        line = at if isinstance(at, int) else line_of(at)
        self.problems.append(MappingProblem(self.file, line, message))

    def root(self) -> yaml.Node | None:
        """The document's root node; None, with problems noted, when it cannot be read."""
        try:
            raw = self.file.read_bytes()
        except OSError as error:
            self.refuse(1, f"cannot be read ({error.strerror}); give the mapping file's path")
            return None
        if len(raw) > MAX_BYTES:
            self.refuse(1, f"larger than {MAX_BYTES} bytes; a mapping describes one register")
            return None
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            self.refuse(line, "not UTF-8; save the file as UTF-8")
            return None
        return self._composed(text)

    def _composed(self, text: str) -> yaml.Node | None:
        try:
            if not self._plain(text):
                return None
            root: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError as error:
            line, what = 1, "odd characters"
            if isinstance(error, yaml.MarkedYAMLError):
                what = error.problem or what
                if error.problem_mark is not None:
                    line = error.problem_mark.line + 1
            self.refuse(line, f"not readable as YAML: {what}")
            return None
        if root is None:
            self.refuse(1, "empty; docs/formats/mapping.md shows a whole file")
        return root

    def _plain(self, text: str) -> bool:
        """Whether the file has neither anchors, aliases nor tags, and no absurd nesting."""
        before, depth = len(self.problems), 0
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                self.refuse(line, "anchors and aliases are refused; write the value out")
            elif getattr(event, "tag", None):
                self.refuse(line, "tags are refused; every scalar is text")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                self.refuse(line, "nested too deeply; see docs/formats/mapping.md")
                return False
        return len(self.problems) == before

    def entries(self, node: yaml.Node | None, what: str) -> Iterator[tuple[str, yaml.Node]]:
        """The entries of a mapping whose keys are free; duplicates and odd keys are refused."""
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, f"{what} must be a mapping (key: value)")
            return
        seen: set[str] = set()
        for key, value in node.value:
            name = self.text(key, f"a key of {what}")
            if name is None:
                continue
            if name in seen:
                self.refuse(key, f"{name} stands twice in {what}; keep one")
                continue
            seen.add(name)
            yield name, value

    def keyed(
        self, node: yaml.Node | None, what: str, need: str = "", may: str = ""
    ) -> dict[str, yaml.Node]:
        """The entries of a mapping whose keys are closed; `need` and `may` are spaced names."""
        found: dict[str, yaml.Node] = {}
        needed, allowed = need.split(), {*need.split(), *may.split()}
        for name, value in self.entries(node, what):
            if name in allowed:
                found[name] = value
            else:
                self.refuse(value, f"unknown key {name} in {what}; known: {_listed(allowed)}")
        if isinstance(node, yaml.MappingNode):
            for name in needed:
                if name not in found and not any(k.value == name for k, _ in node.value):
                    self.refuse(node, f"{what} lacks {name}")
        return found

    def items(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        """The items of a list."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.refuse(node, f"{what} must be a list")
            return []
        return list(node.value)

    def text(self, node: yaml.Node | None, what: str) -> str | None:
        """A scalar's text; None when absent, or refused because it is empty or no scalar."""
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.refuse(node, f"{what} must be one value")
            return None
        value = str(node.value)
        if not value or value != value.strip() or not value.isprintable():
            self.refuse(node, f"{what} is empty or has blanks or control characters at its ends")
            return None
        return value


def line_of(node: yaml.Node) -> int:
    """The node's line, from 1."""
    return int(node.start_mark.line) + 1


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
