# SPDX-License-Identifier: EUPL-1.2
"""The options of the transparency logs."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.settings.section import CountryId, OrganisationId, Seconds, Section
from gateway.settings.values import DatabaseUrl, FilePath, HttpUrl

LogCountry = Annotated[str, Field(pattern=r"^([A-Z]{2}|GATEWAY)$")]
Months = Annotated[int, Field(ge=1, le=1_200)]


class RetentionSettings(Section):
    """How long details of log entries are kept; what the regulations settle is not asked."""

    le_months: dict[CountryId, Months] = Field(
        default_factory=dict,
        description="Country id → months that its national law keeps the details of questions for "
        "law enforcement.",
    )
    le_default_months: Months = Field(
        default=60,
        description="The same for a country that is not named: no regulation gives a number, so "
        "name your own.",
    )
    unknown_years: Annotated[int, Field(ge=1, le=100)] = Field(
        default=10,
        description="Years that a released record counts as stored if its register does not say; "
        "ten are the longest of Regulation (EU) 2024/1358, Article 29.",
    )
    round_months: Literal[1, 2, 3, 4, 6, 12] = Field(
        default=6,
        description="A month of erasure is moved to the end of its stretch of so many months, so "
        "that envelopes do not tell one record's date. A smaller number erases sooner and tells "
        "more.",
    )


class WitnessSettings(Section):
    """Data-protection authorities that cosign the logs, so that nobody can rewrite them unseen."""

    policies: dict[LogCountry, FilePath] = Field(
        default_factory=dict,
        description="Country id → file of the trust policy (docs/formats/witness.md) that says "
        "which witnesses suffice for its logs; `GATEWAY` for the house log. No `log` lines.",
    )
    owners: dict[CountryId, str] = Field(
        default_factory=dict,
        description="Country id → key name of its own authority's witness, which every quorum for "
        "its logs must include.",
    )
    least: Annotated[int, Field(ge=1, le=16)] = Field(
        default=3,
        description="Authorities that every quorum must have; fewer than 3 only for "
        "trying things out.",
    )
    every_s: Seconds = Field(default=5.0, description="Seconds between two looks at the logs.")
    alarm_s: Seconds = Field(
        default=900.0,
        description="Seconds that an entry may stand without a quorum before the operator is told.",
    )
    block_s: Annotated[float, Field(gt=0, le=2_678_400)] = Field(
        default=86_400.0,
        description="Seconds after which no identity of that country is released any more.",
    )
    blocks_s: dict[CountryId, Annotated[float, Field(gt=0, le=2_678_400)]] = Field(
        default_factory=dict, description="Country id → its own limit in place of `block_s`."
    )


class TimestampSettings(Section):
    """A timestamping authority (RFC 3161) that vouches once a day for each log's checkpoint."""

    url: HttpUrl = Field(description="Where requests go. Needs the optional part `timestamp`.")
    roots: FilePath = Field(description="PEM file: the certificates its answers are signed under.")
    folder: FilePath = Field(description="Where tokens and their checkpoints are kept.")


class LogSettings(Section):
    """The transparency log: no answer leaves before its entry is durable here."""

    url: DatabaseUrl = Field(
        description="Database of the log: SQLite or PostgreSQL. It is created once, at set-up; a "
        "missing log is refused, so that a misspelt name cannot start an empty one."
    )
    origin: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,89}$",
        description="What the names of all logs begin with, for example `log.example.org/cuvar`; "
        "each log is `<origin>/<country>/<half-year>`. Never changes.",
    )
    keys: FilePath = Field(
        description="Folder of the Ed25519 keys that sign checkpoints, `<country>.key` each, and "
        "`GATEWAY.key` for entries of nobody's country. `cuvar init` makes what is missing."
    )
    dpo_keys: dict[CountryId, FilePath] = Field(
        min_length=1,
        description="Country id → file of its data-protection officer's public key. Entry details "
        "are sealed to the officers concerned; a country without a key gets no answer and keeps "
        "no log.",
    )
    supervisor_key: FilePath | None = Field(
        default=None,
        description="File of a joint supervisor's public key. Where a treaty asks for it, every "
        "detail is sealed to it too.",
    )
    court_keys: dict[OrganisationId, FilePath] = Field(
        default_factory=dict,
        description="Organisation id of a court → file of its public key. A court receives records "
        "only as a bundle sealed to it; without a key it is refused.",
    )
    queue: Annotated[int, Field(ge=16, le=1_000_000)] = Field(
        default=4_096,
        description="Entries that may wait for the disk; beyond it questions get 503.",
    )
    witnesses: WitnessSettings = Field(
        default_factory=WitnessSettings, description="One table, see its section."
    )
    listen: str | None = Field(
        default=None,
        pattern=r"^tcp:[A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5}$",
        description="`tcp:HOST:PORT` where this gateway takes entries from the others of one log "
        "in PostgreSQL while it leads. Absent: from processes of this machine only.",
    )
    timestamps: TimestampSettings | None = Field(
        default=None, description="One table, see its section; absent: no tokens."
    )
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="One table, see its section."
    )
