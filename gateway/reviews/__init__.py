# SPDX-License-Identifier: EUPL-1.2
"""Reviews of the log over HTTP: alerts, the question to an officer, his answer, the end.

Each step is an entry of the country's log before it is a step at all. What the gateway keeps beside
the log is folded from it, but for two keyed values that the log does not have in clear: who is
asked, and what (docs/review-alerts.md says what an operator could see).
"""
