# SPDX-License-Identifier: EUPL-1.2
"""The matrix: the strongest view of each role and category, with its lines and law."""

from dataclasses import replace

import pytest

from gateway.policy import matrix_pages as pages
from policies.facts import at_best
from policies.loader import build
from policies.matrix import NoSuchWordError, matrix
from policies.question import Question, Truth
from policies.space import askers
from tests.policies.making import TODAY


def test_a_cell_holds_the_strongest_view_its_lines_and_their_law(snapshot):
    found = matrix(snapshot, "BA", "asylum_procedure", org="HR-AS")
    seen = found.cells["asylum_officer", "persons.biographic"]
    assert seen.view == "full"
    assert seen.rules == ("BA-A03", "HR-Q03")
    assert seen.law == ("EUR-01", "EUR-16")
    assert seen.needs == (("case_number", "claim_here", "hit_token"),)
    assert seen.askers == ("HR-AS",)
    assert ("asylum_officer", "persons.document") not in found.cells


def test_home_and_abroad_are_told_apart(snapshot):
    home = matrix(snapshot, "BA", "asylum_procedure", abroad=False)
    abroad = matrix(snapshot, "BA", "asylum_procedure", abroad=True)
    assert home.cells["asylum_officer", "protection.protection"].view == "generalised"
    assert ("asylum_officer", "protection.protection") not in abroad.cells
    assert home.cells["asylum_officer", "persons.document"].askers == ("BA-AS",)


@pytest.mark.parametrize("purpose", ["asylum_procedure", "vital_interest", "statistics"])
def test_the_matrix_says_what_decisions_say_with_facts_at_their_best(snapshot, purpose):
    words = snapshot.vocabulary
    found = matrix(snapshot, "GR", purpose)
    best = at_best(words, {})
    for guard in words.guards.values():
        if guard.about == "question" and not guard.derived:
            best[guard.id] = Truth.FALSE if guard.harmful else Truth.TRUE
    for (role, data), seen in found.cells.items():
        dataset, _, category = data.partition(".")
        views = set()
        for org, country in askers(words):
            if not words.may_hold(org, role):
                continue
            for action in seen.actions:
                question = Question(
                    role=role,
                    org=org.id,
                    country=country,
                    action=action,
                    dataset=dataset,
                    owners=("GR",),
                    categories=(category,),
                    view=seen.view,
                    purpose=purpose,
                    basis=words.purposes[purpose].bases[0],
                    named=True,
                )
                cell = snapshot.decide_record(question, "GR", best).cells[category]
                views.add(cell.view)
        assert seen.view in views


def test_an_unknown_word_is_refused_with_those_that_are_known(snapshot):
    with pytest.raises(NoSuchWordError, match="no country XX; known are BA"):
        matrix(snapshot, "XX", "statistics")
    with pytest.raises(NoSuchWordError, match="no purpose curiosity"):
        matrix(snapshot, "BA", "curiosity")


def test_the_table_fits_a_terminal_and_csv_names_each_pair(snapshot):
    found = matrix(snapshot, "BA", "vital_interest")
    assert max(map(len, pages.as_text(found).splitlines())) <= 100
    rows = pages.as_csv(found).splitlines()
    assert len(rows) == 1 + len(found.roles) * len(found.data)
    assert "BA,vital_interest,all askers,caseworker,persons.document,refused,," in rows


def test_the_page_and_the_picture_escape_every_word_and_run_nothing(snapshot, files):
    law = files["vocabulary/law.csv"].decode()
    assert "national reception law" in law
    found = matrix(build(files, on=TODAY), "BA", "asylum_procedure")
    bad = replace(found, owner='<script>alert("x")</script>')
    for text in (pages.as_html(bad, snapshot.vocabulary), pages.as_svg(bad)):
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    page = pages.as_html(found, snapshot.vocabulary)
    assert 'scope="row"' in page
    assert "<caption>" in page
    assert "Regulation EU 2024/1358 Art 1.1" in page
    assert "BA-O03" in page
    assert "BA-O03" in pages.as_svg(found)
