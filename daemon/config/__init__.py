"""The configuration file → frozen models, or every problem as `path:line: key: expected …`.

Two phases: what can be checked without touching the world is checked by `load`; files, sockets and peers are first
touched when a component runs. Secrets are never values in the file: only paths of files that hold them.
"""

from daemon.config.inputs import IntakeSource, JournalSource, Mapping
from daemon.config.load import default_config, examine_config, load_config, locate, read_secret
from daemon.config.paths import find_rule_files, find_yaml, read_rule_files, rules_at, shipped_rules, state_directory
from daemon.config.schema import (
    Alerts,
    Api,
    Config,
    FileSource,
    GpuSource,
    HostSource,
    Incidents,
    Logging,
    Memory,
    Model,
    Redaction,
    Rules,
    SourceConfig,
    Webhook,
)

__all__ = [
    "Alerts",
    "Api",
    "Config",
    "FileSource",
    "GpuSource",
    "HostSource",
    "Incidents",
    "IntakeSource",
    "JournalSource",
    "Logging",
    "Mapping",
    "Memory",
    "Model",
    "Redaction",
    "Rules",
    "SourceConfig",
    "Webhook",
    "default_config",
    "examine_config",
    "find_rule_files",
    "find_yaml",
    "load_config",
    "locate",
    "read_rule_files",
    "read_secret",
    "rules_at",
    "shipped_rules",
    "state_directory",
]
