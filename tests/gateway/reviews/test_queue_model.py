# SPDX-License-Identifier: EUPL-1.2
"""Any order of steps, allowed or not: log and queue agree on each one that counts."""

import asyncio

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.gateway import house as houses
from tests.gateway.reviews.reviewing import (
    OFFICER,
    alert_body,
    asking,
    closing,
    dpo,
    looked_up,
    officer,
    post,
    rebuilt,
)

_QUESTION_FROM = {"open", "asked", "answered"}
_WHO = st.sampled_from(["dpo", "foreign dpo", "officer", "other officer", "himself as dpo"])


async def healthy(house):
    while not house.runtime.log.healthy:  # noqa: ASYNC110  nothing tells when a disk is back
        await asyncio.sleep(0.01)


def tokens_of(house):
    return {
        "dpo": dpo(house),
        "foreign dpo": dpo(house, "HR"),
        "officer": officer(house),
        "other officer": officer(house, name="officer-2"),
        "himself as dpo": dpo(house, officer=OFFICER),
    }


class Steps(RuleBasedStateMachine):
    loop = house = about = tokens = None
    alerts = Bundle("alerts")

    def __init__(self):
        super().__init__()
        self.model = {}

    def run(self, work):
        return self.loop.run_until_complete(work)

    def step(self, name, body, who):
        answer = self.run(post(self.house, name, body, token=self.tokens[who]))
        return answer.status_code, answer.json()

    @initialize(target=alerts)
    def start(self):
        return self.raised("dpo")

    @rule(target=alerts)
    def another(self):
        return self.raised("dpo")

    def raised(self, who):
        status, told = self.step("alert", alert_body(self.house, self.about), who)
        assert status == 200
        self.model[told["alert"]] = "open"
        return told["alert"]

    @rule(who=st.sampled_from(["foreign dpo", "officer", "himself as dpo"]))
    def raised_by_somebody_else(self, who):
        status, _ = self.step("alert", alert_body(self.house, self.about), who)
        assert status in {403, 404}

    @rule(alert=alerts, who=_WHO)
    def ask(self, alert, who):
        status, _ = self.step("question", asking(alert), who)
        allowed = who == "dpo" and self.model[alert] in _QUESTION_FROM
        assert (status == 200) is allowed
        if allowed:
            self.model[alert] = "asked"

    @rule(alert=alerts, who=_WHO)
    def answer(self, alert, who):
        status, _ = self.step("answer", {"alert": alert, "text": "y"}, who)
        # A token of another role is still the same officer.
        allowed = who in {"officer", "himself as dpo"} and self.model[alert] == "asked"
        assert (status == 200) is allowed
        if allowed:
            self.model[alert] = "answered"

    @rule(
        alert=alerts,
        who=_WHO,
        outcome=st.sampled_from(["justified", "unjustified", "withdrawn"]),
    )
    def close(self, alert, who, outcome):
        status, _ = self.step("close", closing(alert, outcome), who)
        allowed = who == "dpo" and self.model[alert] != "closed"
        assert (status == 200) is allowed
        if allowed:
            self.model[alert] = "closed"

    @rule(alert=alerts)
    def close_while_the_log_is_gone(self, alert):
        """Told that it did not happen; where the entry stands all the same, the queue follows."""
        log, away = self.house.folder / "log.sqlite", self.house.folder / "away.sqlite"
        log.rename(away)
        try:
            status, _ = self.step("close", closing(alert), "dpo")
        finally:
            away.rename(log)
            self.run(healthy(self.house))
        assert status == 503
        self.run(self.house.runtime.reviews.queue.catch_up("BA"))
        if self.run(rebuilt(self.house)).items[alert].state == "closed":
            self.model[alert] = "closed"

    @rule()
    def catching_up_again_changes_nothing(self):
        queue = self.house.runtime.reviews.queue
        kept = self.run(queue.items())
        self.run(queue.catch_up("BA"))
        assert self.run(queue.items()) == kept

    @invariant()
    def the_log_alone_gives_the_same_queue(self):
        queue = self.house.runtime.reviews.queue
        live = {item.alert: item for item in self.run(queue.items())}
        found = self.run(rebuilt(self.house))
        assert found.items == live
        assert not found.odd
        for alert, state in self.model.items():
            assert live[alert].state == state


def test_no_order_of_steps_leaves_log_and_queue_apart(house_folder):
    loop = asyncio.new_event_loop()
    running = houses.running(house_folder)
    house = loop.run_until_complete(running.__aenter__())
    try:
        about = loop.run_until_complete(looked_up(house))
        members = {"loop": loop, "house": house, "about": about, "tokens": tokens_of(house)}
        run_state_machine_as_test(
            type("Run", (Steps,), members),
            settings=settings(
                max_examples=15,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        loop.run_until_complete(running.__aexit__(None, None, None))
        loop.close()
