# SPDX-License-Identifier: EUPL-1.2
import json

from tests.gateway import house as houses
from tests.gateway.linkage.looking import (
    AWAY,
    HELD,
    STRANGER,
    blinded,
    flag,
    flags,
    index,
    officer,
    rows,
    without,
    write,
)
from tests.gateway.small import OTHER, PERSON, change

NOBODY = without(
    HELD, surnames="Grigoriadis", date_of_birth="1964-11-02", document_number="X0000001"
)


async def test_each_country_is_strong_none_unavailable_or_not_asked(looking):
    write(looking.register("GR"), PERSON, STRANGER)
    token = await officer(looking)
    answer = await looking.ask("find", flag(owners=[c for c in AWAY if c != "SI"]), token=token)
    told = {part["owner"]: part["flag"] for part in answer.json()["owners"]}
    assert told == {
        **dict.fromkeys(("AL", "BA", "ME", "MK", "RS"), "strong"),
        "AT": "unavailable",
        "GR": "strong",
    }
    assert answer.json()["not_asked"] == ["HR", "SI"]
    assert {row["strength"] for row in rows(answer)} == {"strong"}
    (austria,) = [part for part in answer.json()["owners"] if part["owner"] == "AT"]
    assert (austria["status"], austria["reason"]) == ("unavailable", "no_index")
    assert await flags(looking, token, subject=NOBODY, owners=["BA", "RS"]) == {
        "BA": "none",
        "RS": "none",
    }


async def test_a_hit_says_how_surely_by_the_keys_that_agree(looking):
    token = await officer(looking)
    only_number = without(HELD, "given_names", "surnames", "date_of_birth", "sex")
    assert await flags(looking, token, subject=only_number, owners=["BA"]) in (
        {"BA": "possible"},
        {"BA": "strong"},
    )
    answer = await looking.ask("find", flag(owners=["BA"]), token=token)
    (row,) = rows(answer)
    assert set(row) == {"strength", "owner", "person_category", "month", "token"}
    assert "No decision may rest on this answer alone" in " ".join(
        answer.json()["owners"][0]["conditions"]
    )


async def test_nobody_and_nobody_you_may_know_of_are_the_same_bytes(looking):
    token = await officer(looking)
    mask = lambda answer: answer.text.replace(answer.json()["correlation"], "")  # noqa: E731
    absent = await looking.ask("find", flag(NOBODY, ["BA"]), token=token)
    assert absent.json()["owners"][0]["flag"] == "none"
    for hidden in (
        {"t_nationalities": "HR"},
        {"t_nationalities": "IR", "t_naturalised": "yes"},
        {"t_naturalised": "", "t_blocked": "no"},
        {"t_naturalised": "no", "t_blocked": "yes"},
    ):
        change(looking.register("BA"), "person", PERSON, **hidden)
        refused = await looking.ask("find", flag(HELD, ["BA"]), token=token)
        assert mask(absent) == mask(refused), hidden
    entries = (await looking.entries("BA"))[-2:]
    assert [entry["status"] for entry in entries] == ["no_hit", "no_hit"]
    change(looking.register("BA"), "person", PERSON, t_blocked="no")
    assert await flags(looking, token, owners=["BA"]) == {"BA": "strong"}


async def test_a_child_under_twelve_is_not_flagged_to_a_check_at_the_border(looking):
    await looking.attest("presence", org="HR-BP")
    token = looking.token("HR-BP", "border_officer")
    border = {"purpose": "border_check", "basis": "CIR-20"}
    assert await flags(looking, token, owners=["BA"], **border) == {"BA": "strong"}
    change(looking.register("BA"), "person", PERSON, t_date_of_birth="2018-07-23")
    assert await flags(looking, token, owners=["BA"], **border) == {"BA": "none"}


async def test_none_is_as_long_on_the_wire_as_a_hit(looking):
    token = await officer(looking)
    sizes = {
        len((await looking.ask("find", flag(subject), token=token)).content)
        for subject in (HELD, NOBODY)
    }
    assert len(sizes) == 1


async def test_of_nine_sources_with_two_down_the_answer_says_which(looking):
    looking.register("RS").unlink()
    looking.register("ME").unlink()
    token = await officer(looking)
    owners = ["HR", *AWAY]
    for subject in (HELD, NOBODY):
        answer = await looking.ask("find", flag(subject, owners), token=token)
        parts = {part["owner"]: part for part in answer.json()["owners"]}
        assert parts["HR"]["status"] == "refused", "at home the person is read, not flagged"
        assert parts["HR"]["flag"] == "not_asked"
        for down in ("RS", "ME"):
            assert (parts[down]["status"], parts[down]["flag"]) == ("unavailable", "unavailable")
            assert parts[down]["reason"] == "down"
        assert parts["AT"]["flag"] == "unavailable"
        up = {parts[owner]["flag"] for owner in ("AL", "BA", "GR", "MK", "SI")}
        assert up == {"strong" if subject is HELD else "none"}


async def test_a_gateway_that_never_had_an_index_says_unavailable(house):
    token = await officer(house)
    assert set((await flags(house, token)).values()) == {"unavailable"}


async def test_keys_that_the_index_cannot_compare_are_unavailable_and_never_none(looking):
    token = await officer(looking)
    for other in ({"grammar": 99}, {"blinding": "oprf"}, {"epoch": "2031q1"}):
        asked = {"blinded": blinded(HELD, **other)}
        assert await flags(looking, token, owners=["BA"], **asked) == {"BA": "unavailable"}


async def test_anything_but_sixteen_whole_keys_is_refused_and_logged(looking):
    token = await officer(looking)
    for spoiled in (
        {"keys": []},
        {"keys": [{"kind": "doc", "value": "A" * 43}] * 2},
        {"keys": [{"kind": "doc", "value": f"{n:043d}"[:42] + "A"} for n in range(0, 340, 20)]},
        {"keys": [{"kind": "name", "value": "A" * 43}]},
        {"keys": [{"kind": "doc", "value": "A" * 42 + "B"}]},
        {"keys": [{"kind": "doc", "value": "*"}]},
        {"commitment": "0" * 63},
        {"epoch": "2026"},
        {"names": ["Hosseini"]},
    ):
        before = looking.sizes()["HR"]
        asked = flag(blinded=blinded(HELD, **spoiled))
        assert (await looking.ask("find", asked, token=token)).status_code == 422, spoiled
        assert looking.sizes()["HR"] == before + 1


async def test_blind_keys_find_a_hit_and_never_a_record_and_stand_alone(looking):
    token = await officer(looking)
    for asked in (
        flag(view="full"),
        flag(subject_in_clear=HELD),
        {**flag(), "subject": {"doc_number": "K1234567"}},
        without(flag(), "blinded"),
    ):
        assert (await looking.ask("find", asked, token=token)).status_code == 422
    persons = flag(owners=["BA"], dataset="persons", categories=["direct_identifier"])
    assert (await looking.ask("find", persons, token=token)).status_code == 403


async def test_a_flag_is_recorded_on_both_sides_without_the_keys_themselves(looking):
    token = await officer(looking)
    asked = flag(owners=["BA"])
    before = looking.sizes()
    await looking.ask("find", asked, token=token)
    grown = {c: n - before[c] for c, n in looking.sizes().items() if n > before[c]}
    assert grown == {"BA": 1, "HR": 1}
    (envelope, theirs), (_, ours) = await looking.newest("BA"), await looking.newest("HR")
    assert theirs == ours
    assert envelope["asked"]["named"] is True
    told = theirs["query"]["blinded"]
    assert told["commitment"] == asked["blinded"]["commitment"]
    assert told["kinds"] == [key["kind"] for key in asked["blinded"]["keys"]]
    for key in asked["blinded"]["keys"]:
        assert key["value"] not in json.dumps([envelope, theirs])


async def test_who_looks_for_too_many_is_stopped_and_logged(looking_folder):
    settings = looking_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    low = text.replace("looks_per_officer_per_hour = 1000000", "looks_per_officer_per_hour = 2")
    settings.write_text(low, encoding="utf-8")
    async with houses.running(looking_folder) as house:
        token = await officer(house)
        codes = [
            (await house.ask("find", flag(owners=["BA"]), token=token)).status_code
            for _ in range(3)
        ]
        assert codes == [200, 200, 429]
        entry = (await house.entries("HR"))[-1]
        assert (entry["decision"], entry["rules"]) == ("deny", ["search limit"])
        other = await officer(house, officer="officer-2")
        assert (await house.ask("find", flag(owners=["BA"]), token=other)).status_code == 200


async def test_two_persons_who_fit_are_two_hits_each_with_a_token_of_its_own(looking_folder):
    write(looking_folder / "region/registers/BA.sqlite", OTHER, HELD)
    await index(looking_folder, "BA")
    async with houses.running(looking_folder) as house:
        answer = await house.ask("find", flag(owners=["BA"]), token=await officer(house))
        found = rows(answer)
        assert len({row["token"] for row in found}) == 2


async def test_a_plain_subject_abroad_is_still_looked_up_as_written(looking):
    """Where a nation sent no index, its register can be asked for one exact spelling."""
    token = await officer(looking)
    asked = without(flag(owners=["AT"]), "blinded") | {"subject": {"biometric_ref": "FP-1"}}
    answer = await looking.ask("find", asked, token=token)
    assert answer.json()["owners"][0]["flag"] == "strong"
