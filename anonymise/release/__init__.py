# SPDX-License-Identifier: EUPL-1.2
"""Releases: extracts of a table in which nobody stands alone.

A release publishes, instead of each value of a quasi-identifier, a node of that column's hierarchy,
so that every published combination is shared by at least k rows with at least l sensitive values
(Sweeney 2002; Machanavajjhala et al. 2007; Li et al. 2007 for t).
"""
