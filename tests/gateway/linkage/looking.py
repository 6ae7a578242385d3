# SPDX-License-Identifier: EUPL-1.2
"""A house whose registers are indexed, and an asylum officer of Croatia who looks for persons."""

import base64
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

from sqlalchemy import insert

from anonymise import epoch_of
from anonymise.linkage.blinding import HmacBlinder
from anonymise.linkage.keys import keys_of
from anonymise.linkage.names import GRAMMAR
from anonymise.linkage.person import person_of
from gateway.keyset import open_keyring
from gateway.linkage.commitment import commitment
from gateway.linkage.index import PURPOSE, RECIPIENT, handle_cipher
from gateway.linkage.peppers import Peppers
from gateway.linkage.persons import PERSON_FIELDS, keys_of_all, persons_of
from gateway.linkage.tables import LINK_LOAD, LINK_ROW, LINKAGE
from gateway.settings import load_settings
from gateway.store import Store
from tests.gateway.house import REASON, today
from tests.gateway.small import OTHER, PERSON, change

NATIONS = bytes(range(32))
SALT = bytes(32)
HELD = {
    "given_names": "Mohammad Reza",
    "surnames": "Hosseini",
    "sex": "M",
    "date_of_birth": "1991-07-23",
    "nationality": "IRN",
    "document_number": "K1234567",
}
"""Whom every register of this house holds as its first person."""
STRANGER = {
    "given_names": "Ardit",
    "surnames": "Berisha",
    "sex": "M",
    "date_of_birth": "1979-02-11",
    "nationality": "ALB",
    "document_number": "B7654321",
}
AWAY = ("AL", "AT", "BA", "GR", "ME", "MK", "RS", "SI")


def epoch():
    return epoch_of(today())


def without(person, *names, **changed):
    return {name: value for name, value in {**person, **changed}.items() if name not in names}


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def blinded(subject, **changes):
    """What the asker's side sends of a subject."""
    full = dict.fromkeys(HELD, "") | subject
    keys = HmacBlinder(NATIONS, epoch()).blind(keys_of(person_of(**full)))
    assert keys, "this subject gives no key"
    return {
        "epoch": epoch(),
        "grammar": GRAMMAR,
        "blinding": "hmac",
        "keys": [{"kind": key.kind.value, "value": b64(key.value)} for key in keys],
        "commitment": commitment(subject, SALT),
        **changes,
    }


def write(path, ref, held):
    """Make a person of a small register somebody."""
    change(
        path,
        "persons",
        ref,
        direct_identifier__surnames=held["surnames"],
        direct_identifier__forenames=held["given_names"],
        direct_identifier__birth_names="",
        direct_identifier__previous_names="",
        direct_identifier__aliases="",
        direct_identifier__original_script="",
        biographic__date_of_birth=held["date_of_birth"],
        biographic__sex=held["sex"],
        biographic__nationalities={"IRN": "IR", "ALB": "AL"}[held["nationality"]],
        document__doc_number=held["document_number"],
    )
    change(path, "person", ref, t_date_of_birth=held["date_of_birth"])


async def index(folder, *countries, **more):
    """Load the index of these countries, from what their registers hold now."""
    settings = load_settings(folder / "cuvar.toml")
    url = settings.state.url.get_secret_value()
    store = Store(url, name="state")
    await store.run(LINKAGE.create_all)
    keyring = open_keyring(settings)
    peppers = Peppers(store, keyring)
    if epoch() not in await peppers.epochs():
        await peppers.open(epoch(), datetime.now(UTC))
    pepper = await peppers.pepper(epoch())
    blinder = HmacBlinder(NATIONS, epoch())
    for country in countries:
        root = keyring.domain(country, RECIPIENT, PURPOSE, epoch()).version
        cipher = handle_cipher(keyring, country, epoch(), root)
        load = {
            "epoch": epoch(),
            "country": country,
            "state": "serving",
            "root": root,
            "grammar": GRAMMAR,
            "blinding": "hmac",
            "digest": "0" * 64,
            "made": "2026-10-01T00:00:00Z",
            "loaded": "2026-10-01T00:00:00Z",
            **more,
        }
        people = held(folder / f"region/registers/{country}.sqlite")
        handles = dict(zip(people, cipher.pseudonyms(list(people)), strict=True))

        def fill(connection, load=load, people=people, handles=handles):
            number = connection.execute(insert(LINK_LOAD).values(load)).inserted_primary_key[0]
            for surrogate, keys in people.items():
                for key in {pepper.stored(blind) for blind in blinder.blind(keys)}:
                    row = {"key": key, "load": number, "handle": handles[surrogate]}
                    connection.execute(insert(LINK_ROW).values(row))

        await store.run(fill)
    await store.close()
    keyring.close()


def held(path):
    """The keys of everybody in a small register, by surrogate."""
    fields = sorted(PERSON_FIELDS)
    columns = ", ".join(f'"{name.replace(".", "__")}"' for name in fields)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            f"SELECT surrogate, {columns} FROM persons JOIN person ON person.id = persons.person"  # noqa: S608
        ).fetchall()
    found = {}
    for surrogate, *row in rows:
        values = dict(zip(fields, row, strict=True))
        values["biographic.date_of_birth"] = date.fromisoformat(values["biographic.date_of_birth"])
        found[bytes.fromhex(surrogate)] = keys_of_all(persons_of(values))
    return found


def populate(folder):
    """Everybody's first person is `HELD`, the second `STRANGER`."""
    for country in ("HR", *AWAY):
        path = folder / f"region/registers/{country}.sqlite"
        write(path, PERSON, HELD)
        write(path, OTHER, STRANGER)


BASE = {"purpose": "asylum_procedure", "basis": "EUR-01", "case_no": "A-1", "reason": REASON}


def flag(subject=HELD, owners=AWAY, **changes):
    return {
        **BASE,
        "dataset": "registrations",
        "owners": list(owners),
        "categories": ["record"],
        "view": "hit",
        "blinded": blinded(subject),
        **changes,
    }


def consult(token, subject=HELD, owner="BA", **changes):
    return {
        **BASE,
        "dataset": "persons",
        "owners": [owner],
        "categories": ["direct_identifier", "biographic"],
        "view": "full",
        "token": token,
        "subject": subject,
        "salt": b64(SALT),
        **changes,
    }


async def officer(house, minutes=60, **more):
    """A Croatian asylum officer with a case and a claim, freshly logged in."""
    for fact in ("case_number", "claim_here"):
        await house.attest(fact, minutes=minutes, org="HR-AS")
    return house.token("HR-AS", "asylum_officer", strong=True, **more)


async def flags(house, token, **changes):
    answer = await house.ask("find", flag(**changes), token=token)
    assert answer.status_code == 200, answer.text
    return {part["owner"]: part["flag"] for part in answer.json()["owners"]}


async def hit(house, token, subject=HELD, owner="BA"):
    """The token of the one hit at an owner."""
    answer = await house.ask("find", flag(subject, [owner]), token=token)
    (row,) = answer.json()["owners"][0]["results"][0]["rows"]
    return row["token"]


def rows(answer):
    return [row for part in answer.json()["owners"] for r in part["results"] for row in r["rows"]]


