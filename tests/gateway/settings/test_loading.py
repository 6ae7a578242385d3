# SPDX-License-Identifier: EUPL-1.2
"""Settings are closed, strict and told apart by file, option and line."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.settings import SettingsError, load_settings

BASE = """\
[gateway]
mode = "development"
public_url = "http://127.0.0.1:8080"
[policies]
rules = "example"
mode = "development"
[log]
url = "sqlite:///log.db"
origin = "log.example.org/cuvar"
keys = "keys/logs"
dpo_keys = { BA = "keys/BA.pub" }
[keys]
keyset = "keys/keyset.json"
passphrase_env = "PASSPHRASE"
[state]
url = "sqlite:////var/lib/cuvar/state.db"
[facts]
url = "sqlite:///facts.db"
[registers.BA]
url = "postgresql://reader:${BA_PASSWORD}@db/persons"
mapping = "mappings/BA.yaml"
[[issuers]]
issuer = "http://127.0.0.1:8080"
jwks_url = "http://127.0.0.1:8080/jwks"
audience = "cuvar"
countries = ["BA"]
organisations = ["BA-BP"]
"""
ENVIRONMENT = {"BA_PASSWORD": "p@ss/w:rd%1"}


@pytest.fixture
def load(tmp_path):
    def from_text(text, environment=ENVIRONMENT):
        file = tmp_path / "cuvar.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file, environment)

    return from_text


def problems(load, text, environment=ENVIRONMENT):
    with pytest.raises(SettingsError) as caught:
        load(text, environment)
    return [(p.key, p.line, p.message) for p in caught.value.problems]


def line_of(text, needle):
    return next(n for n, line in enumerate(text.splitlines(), 1) if needle in line)


def test_a_minimal_file_loads_and_the_rest_has_its_documented_default(load):
    loaded = load(BASE)
    assert loaded.gateway.max_body_bytes == 65_536
    assert loaded.registers["BA"].timeout_s == 0.3
    assert loaded.registers["BA"].concurrency == 16
    assert loaded.issuers[0].require_binding is True
    assert loaded.telemetry.traces == "off"


def test_the_default_mode_is_production(load):
    text = BASE.replace('mode = "development"\n', "", 1)
    assert all(message.startswith("production:") for _, _, message in problems(load, text))


def test_paths_are_relative_to_the_file_and_not_to_where_the_command_runs(
    load, tmp_path, monkeypatch
):
    monkeypatch.chdir("/")
    loaded = load(BASE)
    assert loaded.keys.keyset == tmp_path / "keys/keyset.json"
    assert loaded.log.dpo_keys["BA"] == tmp_path / "keys/BA.pub"
    assert loaded.log.url.get_secret_value() == f"sqlite:///{tmp_path}/log.db"
    assert loaded.state.url.get_secret_value() == "sqlite:////var/lib/cuvar/state.db"


def test_a_password_from_the_environment_cannot_change_which_server_is_meant(load):
    url = load(BASE).registers["BA"].url.get_secret_value()
    assert url == "postgresql://reader:p%40ss%2Fw%3Ard%251@db/persons"


def test_an_environment_variable_that_is_not_set_is_named(load):
    assert problems(load, BASE, {}) == [
        (
            "registers.BA.url",
            line_of(BASE, "${BA_PASSWORD}"),
            "the environment variable BA_PASSWORD is not set",
        )
    ]


def test_settings_never_show_a_secret(load):
    text = BASE.replace('passphrase_env = "PASSPHRASE"', 'passphrase = "hunter-two"')
    shown = repr(load(text)) + str(load(text)) + repr(load(text).registers)
    assert "p%40ss" not in shown
    assert "hunter-two" not in shown


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('public_url = "http', 'publik_url = "http', "gateway.publik_url"),
        ("[keys]", "[keyes]", "keyes"),
        ("mapping =", "maping =", "registers.BA.maping"),
        ('audience = "cuvar"', 'audience = "cuvar"\nrequire_bindings = false', None),
    ],
)
def test_an_unknown_option_is_refused_at_its_line(load, old, new, key):
    text = BASE.replace(old, new)
    found = problems(load, text)
    key = key or "issuers[0].require_bindings"
    wrong = [item for item in found if item[0] == key]
    assert [message for _, _, message in wrong] == [
        "is no option; see docs/settings.md for the list"
    ]
    assert wrong[0][1] == line_of(text, new.splitlines()[-1])


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('mode = "development"', 'mode = "Development"', "gateway.mode"),
        ('mode = "development"', 'mode = "development"\nport = "8080"', "gateway.port"),
        ('mode = "development"', 'mode = "development"\nport = 70000', "gateway.port"),
        ('mode = "development"', 'mode = "development"\nrequest_timeout_s = 0',
         "gateway.request_timeout_s"),
        ('mode = "development"', 'mode = "development"\nrequest_timeout_s = nan',
         "gateway.request_timeout_s"),
        ('mode = "development"', 'mode = "development"\nmax_body_bytes = true',
         "gateway.max_body_bytes"),
        ('http://127.0.0.1:8080"\n[pol', 'ftp://x"\n[pol', "gateway.public_url"),
        ('http://127.0.0.1:8080"\n[pol', 'http://u:p@x"\n[pol', "gateway.public_url"),
        ('"sqlite:///log.db"', '"log.db"', "log.url"),
        ('{ BA = "keys/BA.pub" }', "{}", "log.dpo_keys"),
        ('{ BA = "keys/BA.pub" }', '{ ba = "keys/BA.pub" }', "log.dpo_keys.ba"),
        ('keyset = "keys/keyset.json"', 'keyset = ""', "keys.keyset"),
        ('passphrase_env = "PASSPHRASE"', 'passphrase_env = "a b"', "keys.passphrase_env"),
        ('countries = ["BA"]', "countries = []", "issuers[0].countries"),
        ('audience = "cuvar"', 'audience = "cuvar"\ndevelopment = "no"',
         "issuers[0].development"),
        ("[registers.BA]", "[registers.Bosnia]", "registers.Bosnia"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_and_named(load, old, new, key):
    text = BASE.replace(old, new)
    assert text != BASE
    found = problems(load, text)
    assert [item[0] for item in found] == [key] or key in {item[0] for item in found}
    assert all(line is not None for _, line, _ in found)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('passphrase_env = "PASSPHRASE"', "", "keys", "exactly one"),
        ('passphrase_env = "PASSPHRASE"', 'passphrase_env = "P"\npassphrase = "x"', "keys",
         "exactly one"),
        ('jwks_url = "http://127.0.0.1:8080/jwks"', "", "issuers[0]", "exactly one"),
        ('audience = "cuvar"', 'audience = "cuvar"\njwks_file = "f"', "issuers[0]",
         "exactly one"),
        ('"sqlite:///facts.db"', '"sqlite:///facts.db"\nrefresh_s = 200.0', "facts",
         "longer than refresh_s"),
        ('rules = "example"\nmode = "development"', 'rules = "rules"', "policies", "keys"),
        ('rules = "example"\nmode = "development"', 'rules = "example"', "policies", "nobody"),
        ('rules = "example"\nmode', 'rules = ["a", "b"]\nmode', "policies", "several folders"),
        ("[[issuers]]", '[identity]\nclient_cert_header = "Client-Cert"\n[[issuers]]', "identity",
         "trusted_proxies"),
        ("[[issuers]]", '[telemetry]\ntraces = "otlp"\n[[issuers]]', "telemetry",
         "otlp_endpoint"),
        ("[[issuers]]", '[telemetry]\ntraces = "file"\n[[issuers]]', "telemetry", "trace_file"),
        ("[[issuers]]", '[identity]\ntrusted_proxies = ["10.0.0.0/33"]\n[[issuers]]',
         "identity.trusted_proxies[0]", "no address or network"),
    ],
)  # fmt: skip
def test_options_that_contradict_each_other_are_refused(load, old, new, key, words):
    found = problems(load, BASE.replace(old, new))
    assert [item[0] for item in found] == [key]
    assert words in found[0][2]


def test_all_problems_are_told_at_once(load):
    text = BASE.replace("origin =", "origen =").replace('mode = "dev', 'mode = "xdev', 1)
    assert {key for key, _, _ in problems(load, text)} == {
        "gateway.mode",
        "log.origin",
        "log.origen",
    }


def test_broken_toml_is_refused_with_its_line_and_without_its_text(load):
    text = BASE.replace('audience = "cuvar"', "audience = hunter-two")
    found = problems(load, text)
    assert found == [("", line_of(text, "hunter-two"), "is not TOML")]


def test_a_missing_or_unreadable_file_is_told_by_name(tmp_path):
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "absent.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "bytes.toml")


def test_the_error_text_names_file_line_and_option(load, tmp_path):
    text = BASE.replace('rules = "example"', "rules = 3")
    with pytest.raises(SettingsError) as caught:
        load(text)
    line = line_of(text, "rules = 3")
    assert f"{tmp_path}/cuvar.toml:{line}: policies.rules: " in str(caught.value)


def refusal(load, text):
    try:
        load(text)
    except SettingsError as error:
        return error
    return None


SECRET = "Hunter7Two"
VALUES = [line.split(" = ")[0] for line in BASE.splitlines() if " = " in line]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    option=st.sampled_from(sorted(set(VALUES))),
    value=st.sampled_from([f'"{SECRET}"', f'["{SECRET}"]', f'{{ x = "{SECRET}" }}', "3", "true"]),
)
def test_no_refusal_repeats_a_value_of_the_file(load, option, value):
    text = re.sub(rf"^{option} = .*$", f"{option} = {value}", BASE, flags=re.MULTILINE)
    error = refusal(load, text)
    assert SECRET not in str(error)
    assert error is None or (error.__cause__ is None and error.__suppress_context__)


def test_settings_are_frozen(load):
    loaded = load(BASE)
    with pytest.raises(ValueError, match="frozen"):
        loaded.gateway.mode = "production"
