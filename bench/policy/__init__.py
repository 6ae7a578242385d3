# SPDX-License-Identifier: EUPL-1.2
"""The parts of `bench.bench_policy`: lines, cases, and one module for each engine.

Every engine takes the same lines and answers the same cases; an engine that answers otherwise
fails the bench before anything is timed. What is translated how stands in docs/performance.md.
"""
