# SPDX-License-Identifier: EUPL-1.2
"""What production refuses to start with.

Each refusal names a setting that is right for a demo and wrong for a register of people: an
issuer that signs anybody in, a bearer token that works for whoever stole it (RFC 8705, RFC 9449),
a passphrase beside the keyset it opens, keys that everyone who downloaded the project holds.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from audit.shards import HOUSE
from gateway.settings.sections import Settings

__all__ = ["SAMPLE_MARK", "production_refusals"]

SAMPLE_MARK = "cuvar-sample"
"""Stands in every sample key file, or as the name of a file beside them; see docs/settings.md."""

_KEY_BYTES = 65_536
_AUTHORITIES = 3
_RESERVED_TOP_LEVELS = frozenset({"invalid", "localhost", "test", "example"})


def production_refusals(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The path of each setting that production refuses, with what to do instead.

    Empty in development mode.
    """
    if settings.gateway.mode != "production":
        return
    yield from _transport(settings)
    yield from _issuers(settings)
    if settings.policies.mode != "signed":
        yield ("policies", "mode"), "must be signed: a rule that nobody signed decides about nobody"
    yield from _witnesses(settings)
    if settings.identity.revocations_file is None:
        yield ("identity", "revocations_file"), "name one, or nobody can be suspended at once"
    if settings.keys.passphrase is not None:
        yield ("keys", "passphrase"), "move it to passphrase_file or passphrase_env"
    for path, file in _key_files(settings):
        if _is_sample(file):
            yield path, "is a sample key that everybody has; make your own"


def _transport(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if not settings.gateway.public_url.startswith("https://"):
        yield ("gateway", "public_url"), "must be https"
    if settings.gateway.tls is None and not settings.identity.trusted_proxies:
        yield (
            ("gateway", "tls"),
            "listening without TLS needs a proxy that ends it, named in identity.trusted_proxies",
        )
    endpoint = settings.telemetry.otlp_endpoint
    if endpoint is not None and not endpoint.startswith("https://"):
        yield ("telemetry", "otlp_endpoint"), "must be https"


def _witnesses(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    witnesses, place = settings.log.witnesses, ("log", "witnesses")
    for country in (*settings.log.dpo_keys, HOUSE):
        if country not in witnesses.policies:
            yield (
                (*place, "policies"),
                f"name the trust policy of {country}",
            )
    for country in settings.log.dpo_keys:
        if country not in witnesses.owners:
            yield (*place, "owners"), f"name the witness of {country}'s own authority"
    if witnesses.least < _AUTHORITIES:
        yield (*place, "least"), f"must be at least {_AUTHORITIES}"


def _issuers(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for number, issuer in enumerate(settings.issuers):
        if issuer.development or _names_nobody(issuer.issuer):
            yield ("issuers", number, "development"), "remove the development issuer"
        if not issuer.require_binding:
            yield (
                ("issuers", number, "require_binding"),
                "must be true: an unbound token works for whoever stole it",
            )
        if not issuer.issuer.startswith("https://"):
            yield ("issuers", number, "issuer"), "must be an https address"
        if issuer.jwks_url is not None and not issuer.jwks_url.startswith("https://"):
            yield ("issuers", number, "jwks_url"), "must be https"


def _names_nobody(issuer: str) -> bool:
    """Whether the issuer's host is one that RFC 2606 and RFC 6761 reserve for trying out."""
    try:
        host = urlsplit(issuer).hostname or ""
    except ValueError:
        return True
    return host.rpartition(".")[2] in _RESERVED_TOP_LEVELS


def _key_files(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], Path]]:
    for country in settings.log.dpo_keys:
        yield ("log", "keys"), settings.log.keys / f"{country}.key"
    if settings.log.supervisor_key is not None:
        yield ("log", "supervisor_key"), settings.log.supervisor_key
    for country, file in settings.log.dpo_keys.items():
        yield ("log", "dpo_keys", country), file
    for signer, file in settings.policies.keys.items():
        yield ("policies", "keys", signer), file
    yield from _root_key_files(settings)
    if settings.gateway.tls is not None:
        yield ("gateway", "tls", "key"), settings.gateway.tls.key
    for number, issuer in enumerate(settings.issuers):
        if issuer.jwks_file is not None:
            yield ("issuers", number, "jwks_file"), issuer.jwks_file


def _root_key_files(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], Path]]:
    if settings.keys.keyset is not None:
        yield ("keys", "keyset"), settings.keys.keyset
    if settings.keys.passphrase_file is not None:
        yield ("keys", "passphrase_file"), settings.keys.passphrase_file
    for number, file in enumerate(settings.keys.custodians):
        yield ("keys", "custodians", number), file


def _is_sample(file: Path) -> bool:
    """Whether the key is marked as a sample. A missing file is found by whoever opens it."""
    if file.with_name(SAMPLE_MARK).exists():
        return True
    try:
        with file.open("rb") as handle:
            return SAMPLE_MARK.encode() in handle.read(_KEY_BYTES)
    except OSError:
        return False
