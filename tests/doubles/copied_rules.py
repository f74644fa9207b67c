"""Rule sets many times over, under new ids and names: correlations and filters of a copy refer to the same copy."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml


def copy_rules(files: Mapping[str, str], copies: int) -> dict[str, str]:
    """Path → text of all copies; the first is the set as it is."""
    documents = {path: list(yaml.safe_load_all(text)) for path, text in files.items()}
    found = dict(files)
    for number in range(1, copies):
        names = _renamed(documents.values(), number)
        for path, parts in documents.items():
            found[f"copy{number}/{path}"] = yaml.safe_dump_all(
                [_copied(part, names) for part in parts], sort_keys=False
            )
    return found


def _renamed(files: Iterable[list[Any]], number: int) -> dict[str, str]:
    """What each id and name is called in this copy."""
    names: dict[str, str] = {}
    for parts in files:
        for part in parts:
            if "id" in part:
                names[part["id"]] = str(uuid5(NAMESPACE_URL, f"{part['id']}:{number}"))
            if "name" in part:
                names[part["name"]] = f"{part['name']}_{number}"
    return names


def _copied(part: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    copied: dict[str, Any] = {**part, **{key: names[part[key]] for key in ("id", "name") if key in part}}
    for section in ("correlation", "filter"):
        if section in part:
            copied[section] = {**part[section], "rules": _references(part[section]["rules"], names)}
    condition = part.get("correlation", {}).get("condition")
    if isinstance(condition, str):
        copied["correlation"]["condition"] = re.sub(r"[\w-]+", lambda word: names.get(word[0], word[0]), condition)
    if "aliases" in part.get("correlation", {}):
        aliases = part["correlation"]["aliases"]
        copied["correlation"]["aliases"] = {
            alias: {names[rule]: field for rule, field in fields.items()} for alias, fields in aliases.items()
        }
    return copied


def _references(rules: Any, names: Mapping[str, str]) -> Any:
    return names.get(rules, rules) if isinstance(rules, str) else [names[rule] for rule in rules]
