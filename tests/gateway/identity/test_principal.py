# SPDX-License-Identifier: EUPL-1.2
"""What an issuer's configuration may not say."""

from __future__ import annotations

import pytest

from gateway.identity import IdentityConfigError


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.test/jwks",
        "ftp://issuer.test/jwks",
        "https://",
        "https://user:secret@issuer.test/jwks",
        "file://host/jwks",
        "file:jwks",
        "/etc/jwks",
        "",
    ],
)
def test_keys_come_only_over_tls_or_from_a_file(forger, url):
    with pytest.raises(IdentityConfigError, match="https"):
        forger.config(keys=None, jwks_url=url)


@pytest.mark.parametrize("url", ["https://issuer.test/jwks", "file:///etc/jwks.json"])
def test_good_addresses_are_accepted(forger, url):
    assert forger.config(keys=None, jwks_url=url).jwks_url == url


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ""},
        {"audience": ""},
        {"countries": frozenset()},
        {"organisations": frozenset()},
        {"keys": None},
        {"jwks_url": "https://issuer.test/jwks"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(forger, changes):
    with pytest.raises(IdentityConfigError):
        forger.config(**changes)
