# SPDX-License-Identifier: EUPL-1.2
"""Linkage across countries: the gateway's blind index and the two steps of a consultation."""
