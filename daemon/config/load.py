"""A YAML file → Config, or every problem with its line."""

import difflib
import os
import re
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ValidationError

from daemon.config.inputs import IntakeSource, JournalSource
from daemon.config.salvage import salvage
from daemon.config.schema import Config, FileSource, GpuSource, HostSource, SourceConfig
from daemon.model import Problem, ProblemsError

_SECRET_MIN = 1
_SECRETS = "/etc/tellwhy/secrets"
_WANTED_LOGS = (
    ("audit", "/var/log/audit/audit.log", "auditd"),
    ("auth", "/var/log/auth.log", "syslog"),
    ("secure", "/var/log/secure", "syslog"),
    ("syslog", "/var/log/syslog", "syslog"),
    ("messages", "/var/log/messages", "syslog"),
    ("kern", "/var/log/kern.log", "syslog"),
)
_JOURNALS = ("/run/log/journal", "/var/log/journal")
_TAGGED: dict[str, type[BaseModel]] = {
    "file": FileSource,
    "host": HostSource,
    "gpu": GpuSource,
    "journal": JournalSource,
    "intake": IntakeSource,
}
_FAMILY = {"secure": "auth", "messages": "syslog"}  # a distribution has one of each pair


def default_config() -> Config:
    """Safe defaults for this host: the usual logs that exist (and the audit log, which should), gauges, GPUs. Where
    systemd's journal keeps the logins' log and no syslog daemon writes it to a file (Debian 12), it is the journal.
    """
    present = {name for name, path, _ in _WANTED_LOGS if _may_be_there(path)}
    wanted = [
        FileSource(type="file", name=name, path=path, format=_as_format(fmt))
        for name, path, fmt in _WANTED_LOGS
        if name in present or (name not in _FAMILY and not _has_sibling(name, present) and name in {"audit", "auth"})
    ]
    journal: tuple[SourceConfig, ...] = ()
    if not present & {"auth", "secure"} and _has_journal():
        wanted = [source for source in wanted if source.name != "auth"]
        journal = (JournalSource(type="journal"),)
    return Config(sources=(*wanted, *journal, HostSource(type="host"), GpuSource(type="gpu")))


def _has_journal() -> bool:
    """Whether journald keeps anything here (the empty directory alone says nothing)."""
    for path in _JOURNALS:
        try:
            if os.listdir(path):  # noqa: PTH208 - Path.iterdir() is no shorter
                return True
        except PermissionError:
            return True
        except OSError:
            continue
    return False


def _may_be_there(path: str) -> bool:
    """True also where we may not look: then the source says so, and how to mend it."""
    try:
        os.stat(path)  # noqa: PTH116 - Path.exists() raises where a directory is closed
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _has_sibling(name: str, present: set[str]) -> bool:
    return any(_FAMILY.get(other) == name for other in present)


def _as_format(text: str) -> Literal["auditd", "syslog"]:
    return "auditd" if text == "auditd" else "syslog"


def load_config(path: Path) -> Config:
    """Read and check a configuration file. Raises ProblemsError with every problem, OSError if it cannot be read."""
    config, problems = examine_config(path)
    if problems:
        raise ProblemsError(tuple(problems))
    return config


def examine_config(path: Path) -> tuple[Config, list[Problem]]:
    """As `load_config`, but what is wrong with keys is given back, by line, beside what can be used of the others: to
    be looked at, not to run with. Raises ProblemsError for what is no YAML.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    shown = str(path)
    root, data, problems = _parsed(shown, text)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += [_problem(shown, root, details) for details in error.errors()]
        config = salvage(data)
    # what is left out keeps its default, and the default is to watch what this host has
    whole = config if "sources" in data else config.model_copy(update={"sources": default_config().sources})
    return whole, sorted(problems, key=lambda problem: problem.line)


def _parsed(shown: str, text: str) -> tuple[yaml.Node | None, dict[Any, Any], list[Problem]]:
    """The nodes of a YAML document, its keys and values, and the keys that stand twice. Raises ProblemsError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
        doubled = _doubled(shown, root)
    except yaml.YAMLError as error:
        raise ProblemsError((_yaml_problem(shown, error),)) from error
    except (ValueError, RecursionError) as error:  # a date that does not exist, a number that is none, endless nesting
        expected = f"expected valid YAML ({_shown(str(error) or type(error).__name__)})"
        raise ProblemsError((Problem(shown, 1, "(yaml)", expected),)) from error
    if data is not None and not isinstance(data, dict):
        raise ProblemsError((Problem(shown, 1, "(file)", f"expected keys and values (got {type(data).__name__})"),))
    return root, data or {}, doubled


def locate(path: Path, location: tuple[str | int, ...]) -> int:
    """The line on which a key of a configuration file stands, or the deepest section around it; 1 if unreadable."""
    try:
        return _line(yaml.compose(path.read_text(encoding="utf-8", errors="replace"), Loader=yaml.SafeLoader), location)
    except (OSError, yaml.YAMLError):
        return 1


def read_secret(path: Path) -> str:
    """The secret in a file, without surrounding blanks.

    A name without a slash is one of systemd's credentials, or where there are none a file in /etc/tellwhy/secrets.
    Raises ValueError naming the file (never its content).
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY") or _SECRETS
    full = Path(directory) / path if path.name == str(path) else path
    try:
        secret = full.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        message = f"expected a readable secret file at {full} (got: {why})"
        raise ValueError(message) from error
    if len(secret) < _SECRET_MIN:
        message = f"expected a secret in {full} (got an empty file)"
        raise ValueError(message)
    return secret


def _doubled(path: str, node: yaml.Node | None, where: str = "") -> list[Problem]:
    """Keys that stand twice in a section: YAML would silently take the last one."""
    found: list[Problem] = []
    children: list[tuple[str, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = f"{where}{key.value}", key.start_mark.line + 1
            if name in lines:
                found.append(Problem(path, line, name, f"expected each key once (it stands on line {lines[name]} too)"))
            lines[name] = line
            children.append((f"{name}.", value))
    elif isinstance(node, yaml.SequenceNode):
        children = [(f"{where}{number}.", value) for number, value in enumerate(node.value)]
    return found + [problem for below, value in children for problem in _doubled(path, value, below)]


def _yaml_problem(path: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(path, mark.line + 1 if mark else 1, "(yaml)", f"expected valid YAML ({said})")


def _problem(path: str, root: yaml.Node | None, details: Any) -> Problem:
    said = details["loc"] or getattr(details.get("ctx", {}).get("error"), "location", ())
    location = tuple(part for part in said if part not in _TAGGED or not _is_tag(said, part))
    key = ".".join(str(part) for part in location) or "(file)"
    return Problem(path, _line(root, location), key, _expected(details))


def _is_tag(location: tuple[Any, ...], part: Any) -> bool:
    """Pydantic puts the tag of a tagged section into the location: sources.0.file.path."""
    return len(location) > 2 and location[0] == "sources" and location[2] == part  # noqa: PLR2004 - sources, index, tag


_IN_WORDS = {"tuple": "a list", "list": "a list", "dictionary": "keys and values", "string": "text"}
"""Python's names of what YAML has."""


def _expected(details: Any) -> str:
    """What was expected, in words, with a suggestion for a mistyped key."""
    kind, got = details["type"], details["input"]
    if kind == "extra_forbidden":
        name = str(details["loc"][-1])
        close = difflib.get_close_matches(name, _known_keys(details["loc"]), n=1)
        return "expected a known key" + (f" – did you mean {close[0]}?" if close else "")
    if kind == "missing":
        return "expected a value (the key is missing)"
    if kind.startswith("union_tag"):
        types = details["ctx"].get("expected_tags", "'file', 'host', 'gpu', 'journal', 'intake'").replace("'", "")
        return f"expected type to be one of {types} (got {_shown(details['ctx'].get('tag', got))})"
    message = re.sub(r"^(Value error, |Input should be )", "", details["msg"])
    if message.startswith("expected"):
        return message
    message = re.sub(r"^Input is not a valid path for .*$", "a path", message)
    message = re.sub(r"^(a valid dictionary) or instance of \w+$", r"\1", message)
    message = re.sub("^a valid (tuple|list|dictionary|string)$", lambda found: _IN_WORDS[found[1]], message)
    return f"expected {message} (got {_shown(got)})"


def _shown(got: Any) -> str:
    text = repr(got)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - one line of a terminal


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """The keys of the section in which the unknown key stands."""
    section: type[BaseModel] = Config
    for part in location[:-1]:
        section = _below(section, str(part))
    return list(section.model_fields)


def _below(section: type[BaseModel], part: str) -> type[BaseModel]:
    """The section that one part of a location leads to; the same one for an index of a list."""
    if section is Config and part in _TAGGED:
        return _TAGGED[part]
    field = section.model_fields.get(part)
    annotation = field.annotation if field else None
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return section


def _line(root: yaml.Node | None, location: tuple[Any, ...]) -> int:
    """The line on which the deepest existing part of a location stands."""
    line, node = 1, root
    for part in location:
        key_node, node = _child(node, part)
        if node is None:
            break
        line = (key_node or node).start_mark.line + 1
    return line


def _child(node: yaml.Node | None, part: Any) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(part)), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


__all__ = ["SourceConfig", "default_config", "examine_config", "load_config", "locate", "read_secret"]
