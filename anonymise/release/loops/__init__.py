# SPDX-License-Identifier: EUPL-1.2
"""The inner loops of recoding, compiled on first import; see `release.compiled`."""
