# SPDX-License-Identifier: EUPL-1.2
"""Everything that meets the world: HTTP, tokens, national registers, commands.

The gateway joins the three rooms that do not know one another (policies, anonymise, audit) in
`gateway/pipeline.py`; read that file first.
"""
