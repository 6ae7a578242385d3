# SPDX-License-Identifier: EUPL-1.2
"""Writes docs/settings.md and docs/errors.md from the models that the gateway runs on.

A page that is written by hand drifts from the code it describes; these two are generated, and a
test compares them with what stands in docs/. Run: `python -m gateway.reference docs`.
"""

import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gateway.problems import PROBLEM_MEDIA_TYPE, Problem
from gateway.settings import SAMPLE_MARK, Settings

__all__ = ["errors_page", "settings_page", "write_pages"]

_HEADINGS = {"registers": "[registers.XX]", "issuers": "[[issuers]]"}

_SETTINGS_INTRO = f"""# Settings

One gateway reads one TOML file, named with `--config` (usually `cuvar.toml`). This page is
written from the settings models by `python -m gateway.reference docs`; a test keeps it true.

- An option that is not listed here is refused, with file, line and name. So is a wrong type.
- A path is relative to the folder of the settings file.
- A database address may hold `${{NAME}}`: the environment variable, percent-encoded.
- No error, log line or `repr` repeats a value of the file.

## What production refuses

With `mode = "production"` (the default) the gateway does not start with: an issuer marked
`development` or under a reserved name (`.invalid`, `.localhost`, `.test`, `.example`);
`require_binding = false`; an issuer, key address, collector or `public_url` that is not https;
no TLS and no `trusted_proxies`; a passphrase in the file; rules that nobody signed
(`[policies] mode = "development"`); a sample key, that is a key file holding the text
`{SAMPLE_MARK}`, or one beside a file of that name.

## Example

```toml
"""

_ERRORS_INTRO = f"""# Errors

Every failure is an RFC 9457 document, `{PROBLEM_MEDIA_TYPE}`, never cached. This page is
written by `python -m gateway.reference docs`; a test keeps it true.

```json
{{
  "type": "urn:cuvar:problem:malformed_question",
  "title": "The question could not be understood",
  "status": 422,
  "detail": "The member `faults` names each field and its fault. What was sent is not repeated.",
  "instance": "urn:uuid:01a20c29-758a-7141-9283-2acf9c8aa453",
  "faults": [{{"field": "body.subject.surnames", "reason": "too_long"}}]
}}
```

`instance` is the request's correlation id, made by the gateway; it also stands in the header
`Cuvar-Correlation` and in the log entry. No problem repeats anything that was sent. A step of a
field path that is not one of the API's own words shows as `*`, for somebody may have typed a name
there.

| type (`urn:cuvar:problem:` …) | status | title | what to do |
|---|---|---|---|
"""

_ERRORS_END = """
## Reasons of a fault

`missing` · `unknown_field` · `not_json` · `not_in_list` · `wrong_type` · `wrong_form` ·
`too_long` · `too_short` · `out_of_range` · `refused_value` (anything else).

## What a refusal does not say

A refusal depends on the rules and the question alone: it is the same whether or not a record
exists. A record that its own facts withhold is not an error; it is simply not in the answer.
"""


def settings_page() -> str:
    """docs/settings.md."""
    example = Path(__file__).with_name("settings") / "example.toml"
    parts = [_SETTINGS_INTRO, example.read_text(encoding="utf-8"), "```\n"]
    for name, field in Settings.model_fields.items():
        model = _model_of(field.annotation)
        parts.extend(_section(_HEADINGS.get(name, f"[{name}]"), model, name))
    return "".join(parts)


def errors_page() -> str:
    """docs/errors.md."""
    rows = "".join(
        f"| `{kind.name}` | {kind.status} | {kind.title} | {kind.advice} |\n"
        for kind in (problem.value for problem in Problem)
    )
    return _ERRORS_INTRO + rows + _ERRORS_END


def write_pages(folder: Path) -> None:
    """Write both pages into a folder."""
    folder.joinpath("settings.md").write_text(settings_page(), encoding="utf-8")
    folder.joinpath("errors.md").write_text(errors_page(), encoding="utf-8")


def _section(heading: str, model: type[BaseModel], path: str) -> Iterator[str]:
    yield f"\n## `{heading}`\n\n{' '.join((model.__doc__ or '').split())}\n\n"
    yield "| option | type | default | meaning |\n|---|---|---|---|\n"
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation, required=False)
        if inner is not None:
            each = ".XX" if typing.get_origin(field.annotation) is dict else ""
            nested.append((f"{name}{each}", inner))
        yield f"| `{name}` | {_kind(field)} | {_default(field)} | {field.description} |\n"
    for name, inner in nested:
        yield from _section(f"[{path}.{name}]", inner, f"{path}.{name}")


def _arguments(annotation: object) -> Iterator[object]:
    if isinstance(annotation, types.UnionType | types.GenericAlias) or typing.get_args(annotation):
        for argument in typing.get_args(annotation):
            yield from _arguments(argument)
    else:
        yield annotation


@typing.overload
def _model_of(annotation: object) -> type[BaseModel]: ...
@typing.overload
def _model_of(annotation: object, *, required: bool) -> type[BaseModel] | None: ...
def _model_of(annotation: object, *, required: bool = True) -> type[BaseModel] | None:
    for argument in _arguments(annotation):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument
    if required:
        raise TypeError("a section of the settings has no model")  # programmer's error
    return None


_NAMES: dict[object, str] = {
    str: "text", int: "whole number", float: "number", bool: "true/false", Path: "path",
    SecretStr: "secret",
}  # fmt: skip


def _kind(field: FieldInfo) -> str:
    annotation = field.annotation
    origin = typing.get_origin(annotation)
    literals = [f"`{value}`" for value in _arguments(annotation) if isinstance(value, str | int)]
    if literals:
        names = dict.fromkeys(_NAMES[kind] for kind in _arguments(annotation) if kind in _NAMES)
        several = ["list of them"] if _holds_list(annotation) else []
        return " or ".join([*literals, *names, *several])
    if origin is dict:
        of_tables = _model_of(annotation, required=False) is not None
        return f"table of id → {'table' if of_tables else 'path'}"
    if origin in {frozenset, tuple}:
        return "list of text"
    if _model_of(annotation, required=False) is not None:
        return "table"
    return " or ".join(_NAMES[kind] for kind in _arguments(annotation) if kind in _NAMES)


def _holds_list(annotation: object) -> bool:
    return typing.get_origin(annotation) is tuple or any(
        _holds_list(argument) for argument in typing.get_args(annotation)
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value == {} or value in ((), frozenset()):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
