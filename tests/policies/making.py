# SPDX-License-Identifier: EUPL-1.2
"""Questions, facts and hypothesis strategies for the tests of the rules."""

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from policies import Question, Truth
from policies.zones import asker_name

TODAY = date(2026, 11, 24)
STRENGTH = {None: 0, "count": 1, "hit": 1, "generalised": 1, "pseudonym": 2, "full": 3}
READ = Question(
    role="border_officer",
    org="BA-BP",
    country="BA",
    action="read",
    dataset="persons",
    owners=("BA",),
    categories=("direct_identifier",),
    view="full",
    purpose="border_check",
    basis="SBC-08",
    named=True,
)
CONSULT = replace(
    READ,
    role="asylum_officer",
    org="HR-AS",
    country="HR",
    action="consult",
    purpose="asylum_procedure",
    basis="EUR-01",
)


def base_guards(vocabulary):
    return sorted(guard.id for guard in vocabulary.guards.values() if not guard.derived)


def facts(vocabulary, *sure, maybe=(), others=Truth.FALSE):
    """A truth for every fact that may be stated."""
    found = dict.fromkeys(base_guards(vocabulary), others)
    found |= dict.fromkeys(maybe, Truth.POSSIBLE)
    return found | dict.fromkeys(sure, Truth.TRUE)


def at_best(vocabulary, *, about=("question", "record")):
    """Every positive fact true, every harmful one false."""
    return {
        name: Truth.FALSE if vocabulary.guards[name].harmful else Truth.TRUE
        for name in base_guards(vocabulary)
        if vocabulary.guards[name].about in about
    }


def askers(vocabulary):
    """(organisation, country) of everybody who may speak."""
    return [
        (org, place)
        for org in vocabulary.organisations.values()
        for place in (vocabulary.countries if org.stations else (org.country,))
    ]


def granted(decision):
    return {name: cell.view for name, cell in decision.granted.items()}


def at_most(less, more):
    """Whether one decision releases no more than another."""
    return all(
        STRENGTH[cell.view] <= STRENGTH[more.cells[name].view] for name, cell in less.cells.items()
    )


def truths(vocabulary, draw):
    """Facts that mostly allow, with a few drawn away from it."""
    found = at_best(vocabulary)
    for name in draw(st.lists(st.sampled_from(base_guards(vocabulary)), max_size=4)):
        found[name] = draw(st.sampled_from(list(Truth)))
    return found


@st.composite
def aimed(draw, snapshot):
    """A question aimed at one allow line, with at most two columns drawn freely; and its owner."""
    words = snapshot.vocabulary
    book = snapshot.book
    lines = [line for some in book.owners.values() for line in some if line.eft == "allow"]
    line = draw(st.sampled_from(lines))
    free = draw(st.sets(st.integers(0, 7), max_size=2))

    def pick(index, part, every):
        choice = every if index in free or part == ("*",) else part
        return draw(st.sampled_from(sorted(choice)))

    names = {asker_name(org, place): (org, place) for org, place in askers(words)}
    org, place = names[pick(0, line.org, names)]
    dataset = pick(1, line.dataset, words.datasets)
    purpose = pick(2, line.purpose, words.purposes)
    owner = pick(3, line.owner, words.countries)
    question = Question(
        role=pick(4, line.role, words.roles),
        org=org.id,
        country=place,
        action=pick(5, line.action, words.actions),
        dataset=dataset,
        owners=(owner,),
        categories=(),
        view=pick(6, line.view, words.views),
        purpose=purpose,
        basis=words.purposes[purpose].bases[0],
        named=draw(st.sampled_from((True, True, True, False))),
    )
    return question, owner
