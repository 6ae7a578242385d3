# SPDX-License-Identifier: EUPL-1.2
"""The policy layer's reports as documents: what `--json` prints and what HTTP answers."""
