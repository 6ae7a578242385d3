# SPDX-License-Identifier: EUPL-1.2
"""Reads a whole rule folder, or refuses it with every broken place (ADR 0002).

All or nothing: a missing file, an unknown file, one bad cell, and no rule is used at all, because a
lost denial would be an open door. casbin's own readers are never used. The digest covers the names
and the exact bytes of everything that decides. The gateway relies on `load_rules` at its start.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from policies import agreements, examples, facts, invariants, terms, vocabulary_loader
from policies.engine import Engine
from policies.errors import Problem, Problems, RulesRefusedError
from policies.line import Line
from policies.masks import RuleSet
from policies.matcher import Compiler
from policies.ruleset import LineReader, Source
from policies.snapshot import RuleBook, Snapshot
from policies.table import read_table
from policies.vocabulary import INTERNATIONAL, Vocabulary

MODEL = "model.conf"
_PACKAGE = Path(__file__).parent
_SEALS = ("manifest", "signature")
_LIMIT = 4 * 1024 * 1024
_TITLES = ("org", "title", "role")
_DERIVED = {facts.ABROAD, facts.OUTSIDE_UNION, facts.THIRD_TRANSFER}
_Titles = Mapping[str, Mapping[str, Mapping[str, str]]]


def example_rules() -> Path:
    """The packaged rule folder of the example region; all national rows are unverified."""
    return _PACKAGE / "rules"


def load_rules(path: Path, *, on: date) -> Snapshot:
    """The rules of a folder, frozen, for one day.

    Raises:
        RulesRefusedError: something in the folder is broken; `problems` names every place.
        ModelRefusedError: the packaged model was altered.
    """
    return build(read_folder(path), on=on)


def model_text() -> str:
    """The program's own model, which every country signs with the common part."""
    return (_PACKAGE / MODEL).read_text(encoding="utf-8")


def read_folder(path: Path) -> dict[str, bytes]:
    """Every file below a folder by its name within it, "BA/rules.csv", as exact bytes.

    Raises:
        RulesRefusedError: the folder or one of its files cannot be read, or a file is too large.
    """
    try:
        found = {
            file.relative_to(path).as_posix(): _read(file, path)
            for file in sorted(path.rglob("*"))
            if file.is_symlink() or not file.is_dir()
        }
    except OSError as error:
        problem = Problem(Path(error.filename or path).name, 0, "cannot be read")
        raise RulesRefusedError("the rules are refused", [problem]) from error
    if not found:
        problem = Problem(path.name, 0, "is no folder with rule files")
        raise RulesRefusedError("the rules are refused", [problem])
    return found


def _read(file: Path, folder: Path) -> bytes:
    """The bytes of one plain file, and never more than the limit."""
    name = file.relative_to(folder).as_posix()
    if not stat.S_ISREG(file.lstat().st_mode):
        problem = Problem(name, 0, "is no plain file; take it out")
        raise RulesRefusedError("the rules are refused", [problem])
    # Neither follows a link nor waits: it may have become a pipe since it was looked at.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(file, flags), "rb") as content:
        data = content.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        problem = Problem(name, 0, "is larger than 4 MiB")
        raise RulesRefusedError("the rules are refused", [problem])
    return data


def build(files: Mapping[str, bytes], *, on: date, conf: str | None = None) -> Snapshot:
    """The same as `load_rules`, from the bytes of the files; `conf` stands for the model."""
    model = conf if conf is not None else model_text()
    return _build(tuple(sorted(files.items())), on, model)


# A snapshot never changes, so the same bytes on the same day may share one: whoever watches a
# folder reads it again and again.
@lru_cache(maxsize=4)
def _build(files: tuple[tuple[str, bytes], ...], on: date, model: str) -> Snapshot:
    book = _read_book(dict(files), on, model)
    words = book.vocabulary
    compiler = Compiler()
    owners = {
        country: RuleSet(model, (*book.floor, *lines), words.groups, compiler)
        for country, lines in book.owners.items()
    }
    asking = {
        name: RuleSet(model, lines, words.groups, compiler) for name, lines in book.asking.items()
    }
    engine = Engine(words, MappingProxyType(owners), MappingProxyType(asking))
    over = frozenset(term.rule for term in book.terms.values() if not term.covers(on))
    return Snapshot(book, engine.without(over) if over else engine)


def _read_book(files: Mapping[str, bytes], on: date, model: str) -> RuleBook:
    problems = Problems()
    words = vocabulary_loader.load_vocabulary(files, problems)
    # Lines that are read against a broken vocabulary would name a hundred false problems.
    problems.raise_if_any()
    _check_derived(words, problems)
    _check_names(files, words, problems)
    reader = LineReader(files, words, problems)
    floor = reader.read("floor.csv", Source.FLOOR, None)
    owners: dict[str, tuple[Line, ...]] = {}
    asking: dict[str, tuple[Line, ...]] = {}
    for country in words.countries:
        owners[country] = reader.read(f"{country}/rules.csv", Source.OWNER, country)
        asking[country] = reader.read(f"{country}/asking.csv", Source.ASKING, country)
    for org in _international(words):
        asking[org] = reader.read(f"{INTERNATIONAL}/{org}/asking.csv", Source.ASKING, org)
    book = RuleBook(
        digest=_digest({**files, MODEL: model.encode()}),
        files=MappingProxyType(dict(files)),
        on=on,
        conf=model,
        vocabulary=words,
        agreements=agreements.load_agreements(files, words, problems),
        terms=terms.load_terms(files, _folders(owners, asking, words), problems),
        floor=floor,
        owners=MappingProxyType(owners),
        asking=MappingProxyType(asking),
        titles=_titles(files, words, problems),
        examples=examples.load_examples(files, words, problems),
        invariants=invariants.load_invariants(files, words, problems),
    )
    problems.raise_if_any()
    return book


def _folders(
    owners: Mapping[str, tuple[Line, ...]],
    asking: Mapping[str, tuple[Line, ...]],
    words: Vocabulary,
) -> dict[str, tuple[Line, ...]]:
    """The lines that each signer's folder holds."""
    found = {country: (*lines, *asking[country]) for country, lines in owners.items()}
    return found | {f"{INTERNATIONAL}/{org}": asking[org] for org in _international(words)}


def _international(words: Vocabulary) -> tuple[str, ...]:
    return tuple(o.id for o in words.organisations.values() if o.country == INTERNATIONAL)


def _check_derived(words: Vocabulary, problems: Problems) -> None:
    """The engine works out exactly three facts itself, and each must be written down."""
    found = {guard.id for guard in words.guards.values() if guard.derived}
    for name in sorted(found ^ _DERIVED):
        problems.add("vocabulary/guards.csv", 0, f"{name} must be derived if and only if it can be")


def _check_names(files: Mapping[str, bytes], words: Vocabulary, problems: Problems) -> None:
    """A file that nothing reads is refused: it may be a rule under a misspelt name."""
    folders = [
        *words.countries,
        *(f"{INTERNATIONAL}/{org}" for org in _international(words)),
    ]
    known = {
        *vocabulary_loader.FILES,
        "floor.csv",
        agreements.FILE,
        examples.FILE,
        invariants.FILE,
        *(f"{c}/{n}.csv" for c in words.countries for n in ("rules", "roles", "examples")),
        *(f"{f}/{n}" for f in folders for n in ("asking.csv", terms.FILE, *_SEALS)),
        "manifest",
        *(f"signatures/{country}" for country in words.countries),
    }
    for name in set(files) - known:
        problems.add(name, 0, "is no file of a rule folder; rename it, or take it out")


def _titles(files: Mapping[str, bytes], words: Vocabulary, problems: Problems) -> _Titles:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for country in words.countries:
        name = f"{country}/roles.csv"
        for row in read_table(files, name, _TITLES, problems):
            org = words.organisations.get(row["org"])
            if org is None or org.country != country:
                problems.add(name, row.line, f"{row['org']} is no organisation of {country}")
            elif not words.may_hold(org, row["role"]):
                problems.add(name, row.line, f"{org.id} may not hold the role {row['role']}")
            elif row["title"] in words.roles and row["title"] != row["role"]:
                problems.add(name, row.line, "the title is the name of another common role")
            else:
                titles = found.setdefault(country, {}).setdefault(org.id, {})
                if row["title"] in titles:
                    problems.add(name, row.line, f"{org.id} uses this title twice")
                titles[row["title"]] = row["role"]
    return MappingProxyType(
        {
            country: MappingProxyType({o: MappingProxyType(t) for o, t in orgs.items()})
            for country, orgs in found.items()
        }
    )


def _digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over each name and content with its length, in name order."""
    total = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            total.update(len(part).to_bytes(8, "big"))
            total.update(part)
    return total.hexdigest()
