# SPDX-License-Identifier: EUPL-1.2
"""The strict loader: whatever is wrong is refused with file and line, and nothing is half used."""

import json
from pathlib import Path

import pytest

from policies import PolicyError, RulesRefusedError, example_rules, load_rules
from policies.loader import build, read_folder
from tests.policies.making import TODAY

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors/rules/refused.json").read_text(encoding="utf-8")
)["refused"]


def altered(files, vector):
    """The files with one vector applied."""
    name = vector["file"]
    if vector.get("remove"):
        return {other: raw for other, raw in files.items() if other != name}
    if "hex" in vector:
        return {**files, name: bytes.fromhex(vector["hex"])}
    if "keep_lines" in vector:
        kept = files[name].splitlines(keepends=True)[: vector["keep_lines"]]
        return {**files, name: b"".join(kept)}
    find, replace = vector["find"].encode(), vector["replace"].encode()
    assert find in files[name]
    return {**files, name: files[name].replace(find, replace, 1)}


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_broken_folder_is_refused_with_file_and_line(files, vector):
    with pytest.raises(RulesRefusedError) as refusal:
        build(altered(files, vector), on=TODAY)
    said = [
        problem.message
        for problem in refusal.value.problems
        if (problem.file, problem.line) == (vector["file"], vector["line"])
        or (vector["line"] == 0 and problem.line == 0)
    ]
    assert any(vector["says"] in message for message in said), refusal.value.problems


def test_every_problem_is_told_at_once_in_file_and_line_order(files):
    broken = {
        **files,
        "BA/rules.csv": files["BA/rules.csv"].replace(b",allow,", b",Allow,", 2),
        "RS/asking.csv": files["RS/asking.csv"].replace(b"RS-Q01", b"BA-Q01"),
    }
    del broken["agreements.csv"]
    with pytest.raises(PolicyError) as refusal:
        build(broken, on=TODAY)
    places = [(problem.file, problem.line) for problem in refusal.value.problems]
    assert {("BA/rules.csv", 2), ("BA/rules.csv", 3), ("RS/asking.csv", 2)} < set(places)
    assert places == sorted(places)
    assert "agreements.csv: is missing" in str(refusal.value)
    assert "BA/rules.csv:2: eft must be exactly allow or deny" in str(refusal.value)


def test_losing_any_file_refuses_the_whole(files):
    other_countries = ("BA/", "HR/", "ME/", "AL/", "GR/", "AT/", "SI/", "MK/")
    for name in (name for name in files if not name.startswith(other_countries)):
        less = {other: raw for other, raw in files.items() if other != name}
        with pytest.raises(RulesRefusedError) as refusal:
            build(less, on=TODAY)
        assert any(problem.file == name for problem in refusal.value.problems)


def test_any_byte_of_any_file_changes_the_digest(files, snapshot):
    note = files["BA/rules.csv"].replace(b"unverified,-\n", b"unverified,checked\n", 1)
    signed = {**files, "BA/signature": b"\x00"}
    digests = {
        snapshot.digest,
        build({**files, "BA/rules.csv": note}, on=TODAY).digest,
        build(signed, on=TODAY).digest,
    }
    assert len(digests) == 3
    assert all(len(bytes.fromhex(digest)) == 32 for digest in digests)
    assert build(dict(reversed(files.items())), on=TODAY).digest == snapshot.digest


def test_a_folder_on_disk_reads_like_its_bytes(files, snapshot, tmp_path):
    for name, raw in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    assert load_rules(tmp_path, on=TODAY).digest == snapshot.digest
    assert load_rules(example_rules(), on=TODAY).digest == snapshot.digest


def test_a_folder_that_is_not_there_or_holds_nothing_is_refused(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(RulesRefusedError, match="no folder with rule files"):
            load_rules(path, on=TODAY)


def test_a_link_is_refused_wherever_it_leads(tmp_path):
    (tmp_path / "floor.csv").symlink_to(tmp_path / "gone")
    with pytest.raises(RulesRefusedError, match=r"floor\.csv: is no plain file"):
        read_folder(tmp_path)


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path):
    with (tmp_path / "floor.csv").open("wb") as file:
        file.truncate(4 * 1024 * 1024 + 1)
    with pytest.raises(RulesRefusedError, match="larger than 4 MiB"):
        read_folder(tmp_path)


def test_national_titles_lead_to_common_roles(snapshot):
    assert snapshot.job_titles("BA-BP") == {"granični policajac": "border_officer"}
    for country in snapshot.vocabulary.countries:
        assert "border_officer" in snapshot.job_titles(f"{country}-BP").values()
    assert snapshot.job_titles("UNHCR") == {}
    assert snapshot.job_titles("XX-BP") == {}


def test_every_national_line_is_unverified_and_every_line_cites_law(snapshot):
    book = snapshot.book
    national = [line for part in (book.owners, book.asking) for s in part.values() for line in s]
    assert {line.status for line in national} == {"unverified"}
    assert all(line.law for line in (*national, *book.floor))
    assert [line.id for line in book.floor] == [f"F{number:02d}" for number in range(1, 69)]
