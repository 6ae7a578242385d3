# SPDX-License-Identifier: EUPL-1.2
"""The outermost layer of HTTP, before any framework: one pure-ASGI wrapper and its parts.

`Edge` (edge.py) gives every request its correlation id, limits and headers, and answers for
whatever goes wrong outside the application. `Drain` (drain.py) lets running requests finish at
a stop. The witness and the key holder need no framework: what they share is in small.py.
"""
