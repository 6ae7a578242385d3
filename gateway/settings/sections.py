# SPDX-License-Identifier: EUPL-1.2
"""Every option of `cuvar.toml`, with its meaning, unit, default and danger.

The descriptions below are the documentation: docs/settings.md is written from them, and a test
compares the two. An option that is not named here is refused, so a misspelt safeguard cannot be
silently absent. Models are frozen: settings are read once, at start.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.settings.keys import KeysSettings
from gateway.settings.log import LogSettings
from gateway.settings.releases import ReleasesSettings
from gateway.settings.section import CountryId, Folders, Many, Seconds, Section, SignerId
from gateway.settings.values import DatabaseUrl, FilePath, HttpUrl, Network, Words
from gateway.settings.views import ViewsSettings

__all__ = [
    "FactsSettings",
    "GatewaySettings",
    "IdentitySettings",
    "IssuerSettings",
    "KeysSettings",
    "LimitsSettings",
    "LogSettings",
    "LoggingSettings",
    "PoliciesSettings",
    "RegisterSettings",
    "ReleasesSettings",
    "Settings",
    "StateSettings",
    "StatisticsSettings",
    "TelemetrySettings",
    "TlsSettings",
    "ViewsSettings",
]


class TlsSettings(Section):
    """TLS of the gateway's own port. Absent: plain HTTP."""

    certificate: FilePath = Field(description="PEM file: the server certificate and its chain.")
    key: FilePath = Field(description="PEM file: the certificate's private key.")
    client_ca: FilePath | None = Field(
        default=None,
        description="PEM file: authorities whose client certificates are accepted. Absent: no "
        "client certificate is asked for, so tokens can be bound by DPoP only.",
    )


class GatewaySettings(Section):
    """The gateway process: who it is, where it listens, how much it takes."""

    name: str = Field(
        default="gateway",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Short name of this gateway, shown in traces and readiness.",
    )
    mode: Literal["development", "production"] = Field(
        default="production",
        description="`production` refuses every setting that is only fit for trying things out. "
        "`development` must be written out.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=8443, description="Port to listen on; 0 takes a free one."
    )
    public_url: HttpUrl = Field(
        description="Address under which clients reach the gateway. Sender-constrained tokens are "
        "checked against it, so a wrong value refuses every DPoP proof."
    )
    tls: TlsSettings | None = Field(default=None, description="One table, see its section.")
    max_body_bytes: Annotated[int, Field(ge=1_024, le=16_777_216)] = Field(
        default=65_536, description="Largest request body in bytes; a larger one is refused unread."
    )
    request_timeout_s: Seconds = Field(
        default=10.0, description="Time limit of one request in seconds, log entry included."
    )
    shutdown_grace_s: Seconds = Field(
        default=20.0,
        description="How long running requests may finish after a stop signal, in seconds.",
    )


class PoliciesSettings(Section):
    """The rule set."""

    rules: Literal["example"] | FilePath | Folders = Field(
        description="Folder of the rule files, or a list of folders, each a whole set: on a day "
        "the newest one that is valid is in force. Or `example` for the packaged example region "
        "(nobody signed it and its national rows are unverified: never decide about people with "
        "it)."
    )
    mode: Literal["signed", "development"] = Field(
        default="signed",
        description="`signed` takes a rule set only when every part is signed by the key pinned "
        "below. `development` takes what lies there, and says so wherever it can.",
    )
    keys: dict[SignerId, FilePath] = Field(
        default_factory=dict,
        description="Signer (a country id, or `INT/` and an international body's id) → PEM file of "
        "its public P-256 key. Exactly the countries and bodies of the vocabulary.",
    )
    reload_s: Seconds = Field(
        default=5.0,
        description="How often the folders and the date are looked at. A new set that is refused "
        "leaves the one in force, and `/readyz` says why.",
    )

    shadow_one_in: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Let stock casbin decide one in so many questions again; 0 for none. The "
        "stricter answer is used, and a difference is an error in the log and a metric. It costs "
        "some milliseconds each.",
    )

    @model_validator(mode="after")
    def _signed_or_said(self) -> "PoliciesSettings":
        if self.mode == "signed":
            if self.rules == "example":
                raise ValueError(
                    'nobody signed the example rules: write mode = "development", or sign a copy'
                )
            if not self.keys:
                raise ValueError(
                    'signed rules need keys, one a country; mode = "development" needs none'
                )
        elif isinstance(self.rules, tuple):
            raise ValueError("several folders need signed rules: only versions order them")
        return self


class StateSettings(Section):
    """The gateway's own database."""

    url: DatabaseUrl = Field(
        description="Database of case numbers and hit tokens: SQLite or PostgreSQL. It holds no "
        "identity, but losing it makes handed-out case numbers unanswerable."
    )


class FactsSettings(Section):
    """The fact register: cases, approvals, consents, postings, agreements' state."""

    url: DatabaseUrl = Field(description="Database of the fact register.")
    refresh_s: Seconds = Field(
        default=0.5, description="How often facts held in memory are read again."
    )
    stale_after_s: Seconds = Field(
        default=5.0,
        description="Age in seconds after which unread facts count as unknown: allowing lines "
        "stop, denying lines fire.",
    )

    @model_validator(mode="after")
    def _stale_after_refresh(self) -> "FactsSettings":
        if self.stale_after_s <= self.refresh_s:
            raise ValueError("stale_after_s must be longer than refresh_s")
        return self


class RegisterSettings(Section):
    """One country's register, `[registers.XX]`."""

    url: DatabaseUrl = Field(
        description="Any SQLAlchemy address. Give the gateway an account that may only read; put "
        "the password in the environment and write `${NAME}` here."
    )
    mapping: FilePath = Field(description="The country's mapping file.")
    timeout_s: Seconds = Field(
        default=0.3,
        description="Time limit of one answer from this register in seconds: nine tenths for the "
        "fetch, the rest for recording it. A slower register is `unavailable`.",
    )
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=16, description="Fetches that may run at once in this register."
    )
    breaker_failures: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=5, description="Failures in a row after which the register is left alone."
    )
    breaker_open_s: Seconds = Field(
        default=2.0, description="How long it is left alone, in seconds."
    )


class IssuerSettings(Section):
    """One trusted token issuer, `[[issuers]]`: pinned to what it may assert."""

    issuer: str = Field(
        min_length=1, max_length=500, description="Exact value of the tokens' `iss`."
    )
    jwks_url: HttpUrl | None = Field(
        default=None, description="Where the issuer publishes its keys."
    )
    jwks_file: FilePath | None = Field(default=None, description="Or a file with its keys.")
    audience: str = Field(
        min_length=1, max_length=500, description="Value that `aud` must hold: this gateway."
    )
    countries: Words = Field(
        min_length=1,
        description="Country ids this issuer may speak for. A token for another is refused.",
    )
    organisations: Words = Field(
        min_length=1, description="Organisation ids it may speak for, for example `HR-BP`."
    )
    require_binding: bool = Field(
        default=True, description="Accept only tokens bound to a client certificate or a DPoP key."
    )
    strong_acr: Words = Field(
        default=frozenset(),
        description="Values of `acr` that count as a login with a second factor.",
    )
    development: bool = Field(
        default=False,
        description="This is the embedded development issuer: anybody can sign in as anyone.",
    )

    @model_validator(mode="after")
    def _one_key_source(self) -> "IssuerSettings":
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("give exactly one of jwks_url and jwks_file")
        return self


class LimitsSettings(Section):
    """How much one officer and one organisation may ask and receive."""

    officer_per_minute: Many = Field(default=60, description="Questions per officer and minute.")
    organisation_per_minute: Many = Field(
        default=1_200, description="Questions per organisation and minute."
    )
    records_per_officer_per_hour: Many = Field(
        default=2_000, description="Records released to one officer per hour, against scraping."
    )
    looks_per_officer_per_hour: Many = Field(
        default=120,
        description="Persons that one officer may look for across a border per hour (find with "
        "view hit, and the consultation after it), against trying out names.",
    )
    table_size: Many = Field(
        default=100_000,
        description="Officers and organisations remembered at once. When the table is full of "
        "active ones, newcomers are refused.",
    )


class StatisticsSettings(Section):
    """Figures with differential privacy: what each recipient may spend of each owner's people."""

    epsilon_per_month: Annotated[float, Field(gt=0, le=10)] = Field(
        default=1.0,
        description="Epsilon that one organisation may spend in a calendar month (UTC) on one "
        "owner's people. When it is spent, such tables are refused until the next. Above 1 an "
        "attacker learns more about one person than the figures are worth.",
    )
    epsilon_per_table: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.1,
        description="Epsilon of one table: less is more noise, and more tables a month.",
    )

    @model_validator(mode="after")
    def _one_table_fits(self) -> "StatisticsSettings":
        if self.epsilon_per_table > self.epsilon_per_month:
            raise ValueError("epsilon_per_table may not be more than epsilon_per_month")
        return self


class IdentitySettings(Section):
    """Tokens beyond what an issuer says."""

    revocations_file: FilePath | None = Field(
        default=None,
        description="File of revoked token ids, officers and keys; read again on change.",
    )
    dpop: bool = Field(default=True, description="Accept DPoP proofs (RFC 9449).")
    client_cert_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$",
        description="Header in which a proxy that ends TLS passes the client certificate, as RFC "
        "9440 (`Client-Cert`) or as percent-encoded PEM. Taken only from `trusted_proxies`.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        strict=False,
        description="Addresses or networks of those proxies. Whoever sits there can pose as any "
        "certificate holder.",
    )

    @model_validator(mode="after")
    def _header_needs_proxy(self) -> "IdentitySettings":
        if self.client_cert_header is not None and not self.trusted_proxies:
            raise ValueError("client_cert_header needs trusted_proxies")
        return self


class TelemetrySettings(Section):
    """Metrics and traces. Neither ever holds a name, number, path or query."""

    metrics: bool = Field(default=True, description="Serve Prometheus metrics at `/metrics`.")
    traces: Literal["off", "file", "otlp"] = Field(default="off", description="Where spans go.")
    trace_file: FilePath | None = Field(
        default=None, description="For `file`: JSON lines are added here."
    )
    otlp_endpoint: HttpUrl | None = Field(
        default=None, description="For `otlp`: collector address, OTLP over HTTP with JSON."
    )
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05, description="Share of questions that are traced."
    )

    @model_validator(mode="after")
    def _target_given(self) -> "TelemetrySettings":
        if self.traces == "file" and self.trace_file is None:
            raise ValueError('traces = "file" needs trace_file')
        if self.traces == "otlp" and self.otlp_endpoint is None:
            raise ValueError('traces = "otlp" needs otlp_endpoint')
        return self


class LoggingSettings(Section):
    """The process's own log lines (not the transparency log)."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is written."
    )
    file: FilePath | None = Field(default=None, description="Added to; absent: standard error.")


class Settings(Section):
    """The whole settings file."""

    gateway: GatewaySettings = Field(description="One table, see its section.")
    policies: PoliciesSettings = Field(description="One table, see its section.")
    log: LogSettings = Field(description="One table, see its section.")
    keys: KeysSettings = Field(description="One table, see its section.")
    state: StateSettings = Field(description="One table, see its section.")
    facts: FactsSettings = Field(description="One table, see its section.")
    registers: dict[CountryId, RegisterSettings] = Field(
        min_length=1, description="Country id → register."
    )
    issuers: tuple[IssuerSettings, ...] = Field(
        min_length=1, strict=False, description="Trusted token issuers."
    )
    limits: LimitsSettings = Field(
        default=LimitsSettings(), description="One table, see its section."
    )
    views: ViewsSettings = Field(default=ViewsSettings(), description="One table, see its section.")
    releases: ReleasesSettings = Field(
        default=ReleasesSettings(), description="One table, see its section."
    )
    statistics: StatisticsSettings = Field(
        default=StatisticsSettings(), description="One table, see its section."
    )
    identity: IdentitySettings = Field(
        default=IdentitySettings(), description="One table, see its section."
    )
    telemetry: TelemetrySettings = Field(
        default=TelemetrySettings(), description="One table, see its section."
    )
    logging: LoggingSettings = Field(
        default=LoggingSettings(), description="One table, see its section."
    )
