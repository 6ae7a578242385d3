# SPDX-License-Identifier: EUPL-1.2
"""The demonstration: a synthetic region, a running gateway, and one question asked three ways.

Everything here is for trying out. It creates its own keys, signs in anybody as anyone, and says
so; production settings refuse what it writes.
"""
