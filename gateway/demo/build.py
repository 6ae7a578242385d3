# SPDX-License-Identifier: EUPL-1.2
"""What the demonstration stands on: region, keys, settings, log, facts."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final

from audit import create_dpo_key
from gateway.commands.init import create_missing
from gateway.commands.token import KEY_FOLDER, STRONG
from gateway.demo.authorities import AUTHORITIES, create_witnesses, trust_logs, witness_settings
from gateway.errors import GatewayError
from gateway.identity import DevIssuer
from gateway.ruleset.keys import create_key_pair, read_private
from gateway.ruleset.signing import sign_part, write_part
from gateway.settings import SAMPLE_MARK, Settings, load_settings
from policies import example_rules, load_rules
from policies.manifest import COMMON
from policies.vocabulary import INTERNATIONAL, Vocabulary

COUNTRIES: Final = ("BA", "HR", "RS", "ME", "AL", "GR", "AT", "SI", "MK")
ISSUER: Final = "https://development.invalid"
AUDIENCE: Final = "cuvar-demo"
SETTINGS: Final = "cuvar.toml"
RULES: Final = "rules"
_KEY_FOLDERS: Final = ("dpo", "log-keys", "rule-keys", "rule-keys/INT", KEY_FOLDER)
_UNLOCKS: Final = "keyset.unlock"


class DemoError(GatewayError):
    """The demonstration can't be set up."""


def build(
    folder: Path,
    *,
    persons: int,
    port: int,
    witnesses: Sequence[str],
    on_progress: Callable[[str], None],
) -> Settings:
    """Create the demonstration in an empty or absent folder; gives its settings.

    Args:
        folder: where.
        persons: in the region.
        port: of the gateway.
        witnesses: addresses in the order of `AUTHORITIES`.
        on_progress: is told what is being made.

    Raises:
        DemoError: the folder holds something else.
        GatewayError, AuditError, AnonymiseError: a part can't be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DemoError(f"{folder} holds other files; name an empty folder with --dir")
    folder.mkdir(parents=True, exist_ok=True)
    on_progress(f"nine national registers with {persons:,} people who do not exist")
    from gateway.region import create_region  # brings numpy, which no other command needs

    today = datetime.now(UTC).date()
    create_region(folder / "region", persons=persons, seed=2026, as_of=today)
    on_progress("keys of nine data-protection officers, of nine logs and of the keyset")
    for country in COUNTRIES:
        create_dpo_key(folder / f"dpo/{country}.key", folder / f"dpo/{country}.pub", country)
    on_progress("keys of every country and body, and their signatures under the example rules")
    _sign_rules(folder, today)
    _write_private(folder / _UNLOCKS, secrets.token_urlsafe(24) + "\n")
    issuer = DevIssuer(folder / KEY_FOLDER, issuer=ISSUER, audience=AUDIENCE)
    (folder / KEY_FOLDER / "jwks.json").write_text(issuer.jwks(), encoding="utf-8")
    for keys in (folder, *(folder / n for n in _KEY_FOLDERS)):
        keys.mkdir(exist_ok=True)
        # Production settings refuse keys that lie beside this mark.
        (keys / SAMPLE_MARK).write_text("keys of a demonstration\n", encoding="utf-8")
    on_progress(f"witnesses of the authorities of {', '.join(AUTHORITIES)}, and trust policies")
    create_witnesses(folder, dict(zip(AUTHORITIES, witnesses, strict=True)), COUNTRIES)
    settings = folder / SETTINGS
    settings.write_text(_settings_text(port), encoding="utf-8")
    loaded = load_settings(settings)
    create_missing(loaded)
    trust_logs(folder, loaded)
    return loaded


def _sign_rules(folder: Path, today: date) -> None:
    """A copy of the example rules, signed by keys that nobody but this demonstration knows."""
    rules, keys = folder / RULES, folder / "rule-keys"
    shutil.copytree(example_rules(), rules)
    for signer in signers():
        create_key_pair(signer, keys / f"{signer}.key", keys / f"{signer}.pub")
    for part in (COMMON, *signers()):
        write_part(rules, part, version=1, start=today)
        for signer in COUNTRIES if part == COMMON else (part,):
            sign_part(rules, part, signer, read_private(keys / f"{signer}.key"))


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _settings_text(port: int) -> str:
    organisations = sorted(load_organisations())
    dpo_keys = "\n".join(f'{c} = "dpo/{c}.pub"' for c in COUNTRIES)
    rule_keys = "\n".join(f'"{signer}" = "rule-keys/{signer}.pub"' for signer in signers())
    registers = "\n".join(
        f'[registers.{c}]\nurl = "sqlite:///region/registers/{c}.sqlite"\n'
        f'mapping = "region/mappings/{c}.yaml"\n'
        for c in COUNTRIES
    )
    return f"""\
# Settings of the demonstration. Every option: docs/settings.md. Never for real data.
[gateway]
name = "demo"
mode = "development"
port = {port}
public_url = "http://127.0.0.1:{port}"

[policies]
rules = "{RULES}"

[policies.keys]
{rule_keys}

[log]
url = "sqlite:///log.sqlite"
origin = "demo.cuvar.invalid"
keys = "log-keys"

[log.dpo_keys]
{dpo_keys}

{witness_settings(COUNTRIES)}
[keys]
keyset = "keyset.json"
passphrase_file = "{_UNLOCKS}"

[state]
url = "sqlite:///state.sqlite"

[facts]
url = "sqlite:///facts.sqlite"

{registers}
[[issuers]]
issuer = "{ISSUER}"
jwks_file = "{KEY_FOLDER}/jwks.json"
audience = "{AUDIENCE}"
countries = {_list((*COUNTRIES, "INT"))}
organisations = {_list(organisations)}
require_binding = false
strong_acr = ["{STRONG}"]
development = true
"""


def load_organisations() -> frozenset[str]:
    """Every organisation of the packaged example rules."""
    return frozenset(_vocabulary().organisations)


def signers() -> tuple[str, ...]:
    """Who signs the packaged example rules: every country, and every international body."""
    bodies = (o.id for o in _vocabulary().organisations.values() if o.country == INTERNATIONAL)
    return (*COUNTRIES, *sorted(f"{INTERNATIONAL}/{body}" for body in bodies))


@cache
def _vocabulary() -> Vocabulary:
    return load_rules(example_rules(), on=datetime.now(UTC).date()).vocabulary


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"
