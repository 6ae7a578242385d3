# SPDX-License-Identifier: EUPL-1.2
"""The policy layer's reports for people: what commands print and HTTP calls answer."""
