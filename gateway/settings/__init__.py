# SPDX-License-Identifier: EUPL-1.2
"""The settings of one gateway: one TOML file, every option documented, secrets never shown.

`load_settings(path)` gives frozen `Settings` or raises `SettingsError`. Everything in `gateway/`
takes the part it needs; nothing reads settings at import.
"""

from gateway.settings.errors import SettingProblem, SettingsError
from gateway.settings.loading import load_settings
from gateway.settings.production import SAMPLE_MARK
from gateway.settings.sections import (
    FactsSettings,
    GatewaySettings,
    IdentitySettings,
    IssuerSettings,
    KeysSettings,
    LimitsSettings,
    LoggingSettings,
    LogSettings,
    PoliciesSettings,
    RegisterSettings,
    Settings,
    StateSettings,
    StatisticsSettings,
    TelemetrySettings,
    TlsSettings,
    ViewsSettings,
)

__all__ = [
    "SAMPLE_MARK",
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
    "SettingProblem",
    "Settings",
    "SettingsError",
    "StateSettings",
    "StatisticsSettings",
    "TelemetrySettings",
    "TlsSettings",
    "ViewsSettings",
    "load_settings",
]
