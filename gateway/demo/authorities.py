# SPDX-License-Identifier: EUPL-1.2
"""The demonstration's data-protection authorities: a witness each, and the trust policies.

Three of nine run one; in earnest each of the nine would. Every policy asks for all three, so that
of the owners' own no log of BA, HR or RS can do without.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit.policyfile import Authority, build_policy, write_policy
from audit.shards import HOUSE, first_shard
from gateway.logkeys import read_log_keys
from gateway.settings import SAMPLE_MARK, Settings
from gateway.witness.serving import WitnessFolder

AUTHORITIES: Final = ("BA", "HR", "RS")
TRUST: Final = "trust"
_FOLDER: Final = "witnesses"
_EVERY_S: Final = 0.5


def witness_folder(folder: Path, country: str) -> WitnessFolder:
    """The files of one authority's witness."""
    return WitnessFolder(folder / _FOLDER / country)


def policy_file(folder: Path, country: str) -> Path:
    """The trust policy for one country's logs."""
    return folder / TRUST / f"{country}.policy"


def create_witnesses(folder: Path, urls: Mapping[str, str], countries: Iterable[str]) -> None:
    """Make the witnesses' keys and memories, and a policy for each country and the house log.

    Args:
        folder: of the demonstration.
        urls: where each authority's witness will listen.
        countries: the owners.

    Raises:
        AuditError: a file exists or can't be written.
    """
    authorities = []
    for country in AUTHORITIES:
        files = witness_folder(folder, country)
        cosigner = files.create(_name(country), mldsa=False)
        (files.path / SAMPLE_MARK).write_text("keys of a demonstration\n", encoding="utf-8")
        authorities.append(Authority(f"dpa-{country}", cosigner.verifiers, urls[country]))
    (folder / TRUST).mkdir(parents=True, exist_ok=True)
    for country in (*countries, HOUSE):
        policy_file(folder, country).write_text(_policy(country, authorities), encoding="utf-8")


def _policy(country: str, authorities: Sequence[Authority]) -> str:
    owner = country if country in AUTHORITIES else AUTHORITIES[0]
    policy = build_policy(authorities, least=len(authorities), owner=f"dpa-{owner}")
    return f"# Who must cosign the logs of {country}.\n{write_policy(policy)}"


def trust_logs(folder: Path, settings: Settings) -> None:
    """Let every witness follow every country's logs, once their keys are made.

    Raises:
        AuditError: a key is missing or a list can't be changed.
    """
    for key in read_log_keys(settings).values():
        vkey = key.signer(first_shard(key.name, datetime.now(UTC)).origin).vkey
        for country in AUTHORITIES:
            witness_folder(folder, country).trust(vkey, country=True)


def witness_settings(countries: Iterable[str]) -> str:
    """The settings' part on witnesses."""
    policies = "\n".join(f'{c} = "{TRUST}/{c}.policy"' for c in (*countries, HOUSE))
    owners = "\n".join(f'{c} = "{_name(c)}"' for c in AUTHORITIES)
    return f"""\
[log.witnesses]
least = {len(AUTHORITIES)}
every_s = {_EVERY_S}

[log.witnesses.policies]
{policies}

[log.witnesses.owners]
{owners}
"""


def _name(country: str) -> str:
    return f"witness.dpa.invalid/{country}"
