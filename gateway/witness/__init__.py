# SPDX-License-Identifier: EUPL-1.2
"""Witnesses over HTTP: the service that an authority runs, and the gateway's feed of them.

`app` and `serving` are the authority's side (docs/witness.md); `feed` and `standing` are the
publisher's: they ask for cosignatures, and say how long entries have stood without a quorum.
"""
