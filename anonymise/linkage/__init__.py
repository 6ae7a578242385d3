# SPDX-License-Identifier: EUPL-1.2
"""Whether two registers' records are of one person, without either telling a third who it is."""
