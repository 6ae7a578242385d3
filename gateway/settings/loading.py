# SPDX-License-Identifier: EUPL-1.2
"""From one TOML file to frozen settings, or to a list of what is wrong and where.

All problems are told at once, each with file, option and line. Used by every command through
`--config`; nothing else in the gateway reads the environment or the settings file.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.settings.errors import SettingProblem, SettingsError
from gateway.settings.production import production_refusals
from gateway.settings.sections import Settings
from gateway.settings.values import ReadingContext

__all__ = ["load_settings"]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_OPTION = re.compile(r"^\s*([A-Za-z0-9_.\"-]+)\s*=")
_KEY_STEP = "[key]"  # how pydantic says that a table's key, not its value, is wrong
_AT_LINE = re.compile(r"at line (\d+)")

# What pydantic's own sentences become where they would not help an operator.
_SENTENCES = {
    "extra_forbidden": "is no option; see docs/settings.md for the list",
    "missing": "is required",
    "frozen_instance": "is fixed",
}


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings file.

    Args:
        path: The TOML file; relative paths inside it are relative to its folder.
        environment: Where `${NAME}` is looked up; the process's own by default.

    Raises:
        SettingsError: The file is missing, no TOML, holds an unknown, missing or wrong option, or
            production mode refuses one.
    """
    text = _read(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found.group(1)) if found else None
        raise _refused(path, text, [((), "is not TOML", line)]) from None
    context = ReadingContext(
        path.absolute().parent, os.environ if environment is None else environment
    )
    try:
        settings = Settings.model_validate(table, context=context)
    except ValidationError as error:
        found_items = error.errors(include_url=False, include_input=False, include_context=False)
        wrong = [
            (_real_path(table, item["loc"]), _sentence(item), None)
            for item in found_items
            if not (item["type"] == "too_short" and _has_deeper(found_items, item["loc"]))
        ]
        # `from None`: the library's own text may repeat a value
        raise _refused(path, text, wrong) from None
    refused = [(keys, f"production: {why}", None) for keys, why in production_refusals(settings)]
    if refused:
        raise _refused(path, text, refused)
    return settings


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = (
            "does not exist; `cuvar demo` makes an example, docs/settings.md lists the options"
        )
    except (OSError, UnicodeDecodeError):
        message = "cannot be read as UTF-8 text"
    raise SettingsError((SettingProblem(path, "", None, message),))


def _sentence(item: ErrorDetails) -> str:
    if item["loc"][-1:] == (_KEY_STEP,):
        return "is no country id (two capital letters)"
    return _SENTENCES.get(item["type"], item["msg"].removeprefix("Value error, "))


def _has_deeper(items: Sequence[ErrorDetails], loc: tuple[str | int, ...]) -> bool:
    """Whether a list only came out too short because its elements were refused."""
    return any(len(item["loc"]) > len(loc) and item["loc"][: len(loc)] == loc for item in items)


def _real_path(table: object, loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """The part of pydantic's location that stands in the file, without its own additions."""
    real: list[str | int] = []
    node = table
    for place, step in enumerate(loc):
        last = place == len(loc) - 1 and step != _KEY_STEP
        if isinstance(node, Mapping) and (step in node or last):
            real.append(step)
            node = node.get(step) if isinstance(step, str) else None
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            real.append(step)
            node = node[step]
    return tuple(real)


def _refused(
    path: Path, text: str, wrong: Sequence[tuple[Sequence[str | int], str, int | None]]
) -> SettingsError:
    seen = dict.fromkeys(
        SettingProblem(path, _dotted(keys), line or _line_of(text, keys), message)
        for keys, message, line in wrong
    )
    return SettingsError(tuple(seen))


def _dotted(keys: Sequence[str | int]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """The line of an option, else of its table, else None."""
    wanted = tuple(keys)
    found: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            name = header.group(2).replace('"', "")
            table = tuple(part.strip() for part in name.split("."))
            if header.group(1) == "[[":
                table = (*table, counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            found.setdefault(table, number)
        elif option := _OPTION.match(line):
            parts = option.group(1).replace('"', "").split(".")
            found.setdefault((*table, *parts), number)
    while wanted:
        if wanted in found:
            return found[wanted]
        wanted = wanted[:-1]
    return None
