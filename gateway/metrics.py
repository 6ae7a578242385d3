# SPDX-License-Identifier: EUPL-1.2
"""Prometheus metrics of one gateway, in its own registry.

Label values come from closed sets (signals.py); whatever is not a member is counted as `other`,
so that no path, name or number can become a label and the number of series stays bounded.
Served by app.py at /metrics; counted by pipeline.py, web/edge.py and the sources.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.signals import Outcome, Phase, SignalFields, SourceState

__all__ = ["METRICS_MEDIA_TYPE", "Metrics"]

METRICS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters, histograms and gauges; every method takes any value and shows only members."""

    def __init__(self, fields: SignalFields) -> None:
        self._label = fields.label
        self._requests_by_key: dict[tuple[object, object, int], tuple[Counter, Histogram]] = {}
        self._answers_by_key: dict[tuple[str, str, str, str], Counter] = {}
        registry = CollectorRegistry(auto_describe=True)
        self._registry = registry
        self._requests = Counter(
            "cuvar_requests", "Requests by route template.", ("route", "method", "status"),
            registry=registry,
        )  # fmt: skip
        self._request_seconds = Histogram(
            "cuvar_request_seconds", "Time to the end of the answer.", ("route",),
            registry=registry, buckets=_SECONDS,
        )  # fmt: skip
        self._answers = Counter(
            "cuvar_answers", "Questions by owner and how they ended.",
            ("action", "dataset", "owner", "outcome"), registry=registry,
        )  # fmt: skip
        self._phases = Histogram(
            "cuvar_phase_seconds", "Time spent in each step of a question.", ("phase",),
            registry=registry, buckets=_SECONDS,
        )  # fmt: skip
        self._phase = {
            phase: self._phases.labels(phase=phase.value) for phase in Phase
        }  # fmt: skip
        self._sources = Gauge(
            "cuvar_source_state", "1 for the state a register last showed.", ("owner", "state"),
            registry=registry,
        )  # fmt: skip
        self._policy = Gauge(
            "cuvar_policy_info", "1 for the rule set in force, by digest.", ("digest",),
            registry=registry,
        )  # fmt: skip
        self._policy_of = fields.clean
        self.policy_signed = Gauge(
            "cuvar_policy_signed", "1 when rules must be signed; 0 in development mode.",
            registry=registry,
        )  # fmt: skip
        self.policy_degraded = Gauge(
            "cuvar_policy_degraded", "1 while a rule folder is refused or nothing is valid.",
            registry=registry,
        )  # fmt: skip
        self._policy_refused = Counter(
            "cuvar_policy_refused", "Rule sets that were not taken, by why.", ("why",),
            registry=registry,
        )  # fmt: skip
        self.policy_differs = Counter(
            "cuvar_policy_shadow_differences", "Decisions on which stock casbin disagreed.",
            registry=registry,
        )  # fmt: skip
        self.in_flight = Gauge("cuvar_in_flight", "Requests being answered.", registry=registry)
        self.log_queue = Gauge(
            "cuvar_log_queue_depth", "Entries waiting for the disk.", registry=registry
        )
        self.log_size = Gauge("cuvar_log_size", "Entries in all logs.", registry=registry)
        self.log_healthy = Gauge(
            "cuvar_log_healthy", "1 while the log takes entries.", registry=registry
        )
        self.log_unwitnessed = Gauge(
            "cuvar_log_unwitnessed_seconds", "Age of the oldest entry that no quorum cosigned.",
            registry=registry,
        )  # fmt: skip
        self.clock_offset = Gauge(
            "cuvar_clock_offset_seconds", "How far this clock surely stands from the witnesses'.",
            registry=registry,
        )  # fmt: skip
        self._dropped = Counter(
            "cuvar_signals_dropped",
            "Log fields and span attributes outside the allow-list: a fault of the program.",
            registry=registry,
        )
        self._limited = Counter(
            "cuvar_limited", "Questions turned away by a limit.", registry=registry
        )

    def request(self, route: object, method: object, status: int, seconds: float) -> None:
        """One request ended. `route` is the template, never the path."""
        label = self._label
        key = (label("route", route), label("method", method), status)
        found = self._requests_by_key.get(key)
        if found is None:
            found = self._requests_by_key[key] = (
                self._requests.labels(route=key[0], method=key[1], status=str(status)),
                self._request_seconds.labels(route=key[0]),
            )
        found[0].inc()
        found[1].observe(seconds)

    def answer(self, action: str, dataset: str, owner: str, outcome: Outcome) -> None:
        """One question ended for one owner."""
        label = self._label
        key = (
            label("action", action),
            label("dataset", dataset),
            label("owner", owner),
            label("outcome", outcome),
        )
        found = self._answers_by_key.get(key)
        if found is None:
            found = self._answers_by_key[key] = self._answers.labels(*key)
        found.inc()

    def phase(self, phase: Phase, seconds: float) -> None:
        """One step of a question took so long."""
        self._phase[phase].observe(seconds)

    def source(self, owner: str, state: SourceState) -> None:
        """A register is in this state now and in no other."""
        name = self._label("owner", owner)
        for each in SourceState:
            self._sources.labels(owner=name, state=each.value).set(each is state)

    def policy(self, digest: str) -> None:
        """The rule set in force; a digest that is none is not shown."""
        self._policy.clear()
        if self._policy_of("policy", digest) is not None:
            self._policy.labels(digest=digest).set(1)

    def policy_refused(self, why: str) -> None:
        """A rule set was not taken."""
        self._policy_refused.labels(why=self._label("refusal", why)).inc()

    def dropped(self) -> None:
        """A log field or span attribute was withheld."""
        self._dropped.inc()

    def limited(self) -> None:
        """A limit turned a question away."""
        self._limited.inc()

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)

    def values(self) -> Mapping[str, float]:
        """Samples without labels by name, for readiness and tests."""
        return {
            sample.name: sample.value
            for family in self._registry.collect()
            for sample in family.samples
            if not sample.labels
        }
