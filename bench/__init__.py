# SPDX-License-Identifier: EUPL-1.2
"""Benches: `python -m bench [--only NAME]`; each module bench_*.py has NAME and run()."""
