# SPDX-License-Identifier: EUPL-1.2
"""Nine small registers of one plain schema, for tests about the gateway, not about schemas.

One table a dataset, one column a field, every person clean: known, adult, unmarked. A test that
needs something else changes the row or attests the fact.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.sources.common import field_kind, trait_kind
from policies import example_rules, load_rules

COUNTRIES = ("BA", "HR", "RS", "ME", "AL", "GR", "AT", "SI", "MK")
HELD = (
    "persons",
    "registrations",
    "asylum",
    "stays",
    "protection",
    "family",
    "readmissions",
    "centres",
)
PERSON = "p-1"
OTHER = "p-2"
SURROGATES = {PERSON: "11" * 16, OTHER: "22" * 16}
CANARY_NAME = "Zvončićanary"
CANARY_NUMBER = "KN4711815"
_PERSON_TRAITS = {
    "date_of_birth": "1985-04-03",
    "dob_precision": "day",
    "nationalities": "SY",
    "habitual_residence": "TR",
    "declared_persecutor": "",
    **dict.fromkeys(
        (
            "deceased",
            "blocked",
            "naturalised",
            "unaccompanied",
            "guardian_record",
            "best_interest",
            "trafficking",
            "claim_pending",
            "protection_marked",
        ),
        "no",
    ),
    "reflection_until": "",
}
_RECORD_TRAITS = {
    "provenance": "national",
    "retain_until": "2035-01-01",
    "notice_given": "yes",
    "centre": "lipa",
}
_EMPTY_IS_NONE = {"declared_persecutor", "reflection_until"}
_SEARCH = {
    "surnames": "ZVONCICANARY",
    "forenames": "AMIR",
    "date_of_birth": "1985-04-03",
    "doc_number": CANARY_NUMBER,
    "biometric_ref": "FP-1",
}
_VALUES = {
    "surnames": CANARY_NAME,
    "forenames": "Amir",
    "date_of_birth": "1985-04-03",
    "dob_precision": "day",
    "sex": "M",
    "nationalities": "SY",
    "nationality": "SY",
    "previous_nationalities": "IQ",
    "doc_number": CANARY_NUMBER,
    "person_category": "ASY",
    "claim_state": "open",
    "relation_code": "sibling",
    "linked_reference": OTHER,
    "needs_codes": "SM",
    "centre_id": "lipa",
    "languages": "ar",
    "name": "Lipa",
    "region": "Bihać",
}
_BY_KIND = {"date": "2026-03-02", "bool": "no", "int": "7", "text": "words"}


def vocabulary():
    from datetime import date

    return load_rules(example_rules(), on=date(2026, 11, 24)).vocabulary


def _fields(words, dataset):
    return [f for c in words.datasets[dataset].categories.values() for f in c.fields.values()]


def _value(dataset, field):
    kind = field_kind(dataset, field.id)
    if field.name in _VALUES:
        return _VALUES[field.name]
    return "SY" if kind.codes == "country" else _BY_KIND.get(kind.type, "words")


def _column(name):
    return name.replace(".", "__")


def _spec(name, kind, *, empty=False):
    parts = [f"column: {_column(name)}"]
    if kind.type == "date":
        parts.append("date: iso")
    if kind.many:
        parts.append('split: ";"')
    if empty:
        parts.append("empty: none")
    return f"{{{', '.join(parts)}}}"


def mapping_text(words, country):
    lines = [
        "format: 1",
        f"country: {country}",
        f"register: Small register of {country}",
        "person:",
        "  table: person",
        "  key: id",
        "  surrogate: surrogate",
        "  search:",
        *(
            f"    {name}: {{column: s_{name}{', form: mrz' if name.endswith('names') else ''}"
            f"{', date: iso' if name == 'date_of_birth' else ''}}}"
            for name in _SEARCH
        ),
        "  facts:",
        *(
            f"    {name}: {_spec('t_' + name, trait_kind(name), empty=name in _EMPTY_IS_NONE)}"
            for name in _PERSON_TRAITS
        ),
        "datasets:",
    ]
    for dataset in HELD:
        personal = dataset != "centres"
        lines += [f"  {dataset}:", f"    table: {dataset}", "    record: id"]
        lines += ["    person: person"] if personal else []
        if personal:
            lines.append("    facts:")
            lines += [
                f"      {name}: {_spec('t_' + name, trait_kind(name))}" for name in _RECORD_TRAITS
            ]
        lines.append("    fields:")
        lines += [
            f"      {f.id}: {_spec(f.id, field_kind(dataset, f.id))}"
            for f in _fields(words, dataset)
        ]
    return "\n".join(lines) + "\n"


def create_register(words, path: Path, persons=(PERSON, OTHER)):
    with closing(sqlite3.connect(path)) as connection:
        person = {f"t_{k}": v for k, v in _PERSON_TRAITS.items()}
        person |= {f"s_{k}": v for k, v in _SEARCH.items()}
        _table(connection, "person", ["id", "surrogate", *person])
        for ref in persons:
            row = {**person, "id": ref, "surrogate": SURROGATES.get(ref, ref.encode().hex()[:32])}
            if ref != PERSON:
                row |= {"s_surnames": f"OTHER {ref}", "s_doc_number": ref, "s_biometric_ref": ref}
            _insert(connection, "person", row)
        for dataset in HELD:
            fields = {_column(f.id): _value(dataset, f) for f in _fields(words, dataset)}
            traits = {f"t_{k}": v for k, v in _RECORD_TRAITS.items()}
            personal = dataset != "centres"
            columns = ["id", *(["person"] if personal else []), *fields, *traits]
            _table(connection, dataset, columns)
            for ref in persons if personal else ("lipa",):
                row = {**fields, **traits, "id": f"{dataset}-{ref}"}
                _insert(connection, dataset, {**row, "person": ref} if personal else row)
        connection.commit()


def _table(connection, name, columns):
    connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} TEXT' for c in columns)})")


def _insert(connection, table, row):
    marks = ", ".join("?" for _ in row)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608  our own names
        list(row.values()),
    )


def change(path: Path, table, where, **columns):
    """Change columns of rows whose id or person is `where`."""
    key = "id" if table in {"person", "centres"} else "person"
    parts = ", ".join(f"{c} = ?" for c in columns)
    with closing(sqlite3.connect(path)) as connection:
        done = connection.execute(
            f"UPDATE {table} SET {parts} WHERE {key} = ?",  # noqa: S608  our own names
            [*columns.values(), where],
        )
        assert done.rowcount, "nothing to change"
        connection.commit()


def create_region(folder: Path):
    words = vocabulary()
    (folder / "registers").mkdir(parents=True)
    (folder / "mappings").mkdir()
    for country in COUNTRIES:
        create_register(words, folder / f"registers/{country}.sqlite")
        text = mapping_text(words, country)
        (folder / f"mappings/{country}.yaml").write_text(text, encoding="utf-8")
