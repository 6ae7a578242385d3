# SPDX-License-Identifier: EUPL-1.2
"""Production refuses what is only fit for a demo; each refusal stands alone."""

from pathlib import Path

import pytest

import gateway.settings
from gateway.settings import SAMPLE_MARK, SettingsError, load_settings

EXAMPLE = Path(gateway.settings.__file__).with_name("example.toml").read_text(encoding="utf-8")
ENVIRONMENT = {"BA_PASSWORD": "a", "RS_PASSWORD": "b"}


@pytest.fixture
def load(tmp_path):
    def from_text(text):
        file = tmp_path / "cuvar.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file, ENVIRONMENT)

    return from_text


def test_the_documented_example_is_fit_for_production(load):
    loaded = load(EXAMPLE)
    assert loaded.gateway.mode == "production"
    assert set(loaded.registers) == {"BA", "RS"}
    assert all(issuer.require_binding for issuer in loaded.issuers)


TLS = EXAMPLE[EXAMPLE.index("[gateway.tls]") : EXAMPLE.index("[policies]")]
FAULTS = {
    "gateway.public_url": ('public_url = "https:', 'public_url = "http:'),
    "gateway.tls": (TLS, ""),
    "telemetry.otlp_endpoint": (
        "[limits]",
        '[telemetry]\ntraces = "otlp"\notlp_endpoint = "http://collector:4318"\n[limits]',
    ),
    "issuers[0].development": ('audience = "', 'development = true\naudience = "'),
    "issuers[0].require_binding": ('audience = "', 'require_binding = false\naudience = "'),
    "issuers[0].issuer": ('issuer = "https://login.ministry.ba"', 'issuer = "urn:ba"'),
    "issuers[0].jwks_url": ('jwks_url = "https:', 'jwks_url = "http:'),
    "policies.mode": (
        'rules = ["rules", "rules-2027"]',
        'rules = "rules"\nmode = "development"',
    ),
    "log.witnesses.policies": (', GATEWAY = "trust/house.policy"', ""),
    "log.witnesses.owners": (', RS = "witness.example.rs/dpa"', ""),
    "log.witnesses.least": ("[log.witnesses]", "[log.witnesses]\nleast = 2"),
    "keys.passphrase": ('passphrase_env = "CUVAR_PASSPHRASE"', 'passphrase = "x"'),
}


@pytest.mark.parametrize("key", FAULTS)
def test_production_refuses_what_a_demo_may_do(load, key):
    old, new = FAULTS[key]
    text = EXAMPLE.replace(old, new, 1)
    assert text != EXAMPLE
    with pytest.raises(SettingsError) as caught:
        load(text)
    assert [problem.key for problem in caught.value.problems] == [key]
    assert caught.value.problems[0].message.startswith("production: ")
    load('[gateway]\nmode = "development"' + text.removeprefix(text[: text.index("\nname")]))


def test_a_trusted_proxy_may_end_tls_for_production(load):
    text = EXAMPLE.replace(TLS, "").replace(
        "[identity]",
        '[identity]\nclient_cert_header = "Client-Cert"\ntrusted_proxies = ["10.0.0.5"]',
    )
    assert load(text).gateway.tls is None


@pytest.mark.parametrize("host", ["development.invalid", "localhost", "login.test", "a.example"])
def test_an_issuer_under_a_reserved_name_is_no_ministry(load, host):
    text = EXAMPLE.replace('issuer = "https://login.ministry.ba"', f'issuer = "https://{host}"')
    with pytest.raises(SettingsError) as caught:
        load(text)
    assert [problem.key for problem in caught.value.problems] == ["issuers[0].development"]


KEY_FILES = {
    "log.keys": "keys/logs/BA.key",
    "log.dpo_keys.BA": "keys/dpo-BA.pub",
    "keys.keyset": "keys/keyset.json",
    "keys.custodians[1]": "keys/RS-DPA-vera.pub",
    "gateway.tls.key": "tls/server.key",
    "issuers[1].jwks_file": "keys/rs-jwks.json",
}


@pytest.mark.parametrize("key", KEY_FILES)
def test_a_marked_sample_key_is_refused(load, tmp_path, key):
    file = tmp_path / KEY_FILES[key]
    file.parent.mkdir(parents=True)
    file.write_text(f"# {SAMPLE_MARK}\nkey\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(EXAMPLE)
    assert [problem.key for problem in caught.value.problems] == [key]


def test_a_sample_passphrase_file_is_refused(load, tmp_path):
    (tmp_path / "word").write_text(SAMPLE_MARK, encoding="utf-8")
    text = EXAMPLE.replace('passphrase_env = "CUVAR_PASSPHRASE"', 'passphrase_file = "word"')
    with pytest.raises(SettingsError, match="sample"):
        load(text)


def test_every_key_beside_a_sample_mark_is_refused(load, tmp_path):
    (tmp_path / "keys/logs").mkdir(parents=True)
    (tmp_path / "keys" / SAMPLE_MARK).touch()
    (tmp_path / "keys/logs" / SAMPLE_MARK).touch()
    with pytest.raises(SettingsError) as caught:
        load(EXAMPLE)
    assert {problem.key for problem in caught.value.problems} == {
        "log.keys",
        "log.dpo_keys.BA",
        "log.dpo_keys.RS",
        "keys.keyset",
        *(f"keys.custodians[{number}]" for number in range(3)),
        "policies.keys.BA",
        "policies.keys.RS",
        "policies.keys.INT/UNHCR",
        "issuers[1].jwks_file",
    }
