# SPDX-License-Identifier: EUPL-1.2
"""A house whose registers are indexed, and an asylum officer of Croatia who looks for persons."""

import base64
import hashlib
from datetime import UTC, datetime

from anonymise import epoch_of
from anonymise.linkage.blinding import HmacBlinder
from anonymise.linkage.keys import keys_of
from anonymise.linkage.names import GRAMMAR
from anonymise.linkage.person import person_of
from gateway.commands.index.build import register_of
from gateway.commands.index.holding import open_parts
from gateway.linkage.building import NationsKey, Order, build
from gateway.linkage.commitment import commitment
from gateway.linkage.loading import load_file
from gateway.settings import load_settings
from tests.gateway.house import REASON, today
from tests.gateway.small import OTHER, PERSON, change

NATIONS = hashlib.sha256(b"the nations' key of the tests").digest()
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


async def index(folder, *countries):
    """Load the index of these countries, built from what their registers hold now."""
    settings = load_settings(folder / "cuvar.toml")
    now = datetime.now(UTC)
    async with open_parts(settings) as parts:
        if epoch() not in await parts.peppers.epochs():
            await parts.peppers.open(epoch(), now)
        for country in countries:
            source = register_of(settings, country, now.date())
            out = folder / f"{country}.index"
            out.unlink(missing_ok=True)
            await build(source, Order(epoch(), out, now), NationsKey(NATIONS), lambda _: None)
            await source.close()
            await load_file(parts, out, now, lambda _: None)


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
