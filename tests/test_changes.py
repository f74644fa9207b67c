"""What a reload says that it changed: rules by id and title, configuration by key, and no value of either."""

from pathlib import Path

import yaml

from daemon.changes import find_changes
from daemon.config import Config
from daemon.detection.rules import parse_rules
from daemon.loading import Loaded

FAILED = """title: Login failed
id: 00000000-0000-4000-8000-000000000001
name: failed
logsource: {product: linux, service: sshd}
detection: {selection: {action: login_failed}, condition: selection}
"""
MANY = """title: Many failed
id: 00000000-0000-4000-8000-000000000002
correlation: {type: event_count, rules: [failed], group-by: [src_ip], timespan: 5m, condition: {gte: 5}}
"""
FILTER = """title: Our scanner
logsource: {product: linux, service: sshd}
filter: {rules: [failed], selection: {src_ip: 192.0.2.7}, condition: not selection}
"""


def loaded(*texts: str, disabled: tuple[str, ...] = (), **config: object) -> Loaded:
    rules = parse_rules({f"{number}.yml": text for number, text in enumerate(texts)}, disabled)
    assert rules.problems == ()
    return Loaded(Config.model_validate(config), rules)


def test_nothing_is_said_where_nothing_changed() -> None:
    assert find_changes(loaded(FAILED, MANY, host="a"), loaded(FAILED, MANY, host="a")).words() == ()


def test_rules_come_and_go_by_title() -> None:
    said = find_changes(
        loaded(FAILED, MANY), loaded(FAILED, FAILED.replace("0001", "0003").replace("failed", "worked"))
    )
    assert said.words() == ("rules added: Login worked", "rules removed: Many failed")
    assert (said.added[0].id, said.removed[0].id) == (
        "00000000-0000-4000-8000-000000000003",
        "00000000-0000-4000-8000-000000000002",
    )


def test_what_is_built_upon_a_changed_rule_changed_too() -> None:
    said = find_changes(loaded(FAILED, MANY), loaded(FAILED.replace("login_failed", "login"), MANY))
    assert said.words() == ("rules changed: Login failed, Many failed",)
    assert find_changes(loaded(FAILED, MANY), loaded(FAILED, MANY.replace("5m", "9m"))).words() == (
        "rules changed: Many failed",
    )


def test_a_filter_changes_the_rules_that_it_is_for() -> None:
    assert find_changes(loaded(FAILED), loaded(FAILED, FILTER)).words() == ("rules changed: Login failed",)


def test_a_rule_that_only_moved_is_told_because_alerts_name_its_file() -> None:
    assert find_changes(loaded(MANY, FAILED), loaded(FAILED, MANY)).words() == (
        "rules changed: Login failed, Many failed",
    )


def test_switching_off_and_on() -> None:
    on, off = loaded(FAILED, MANY), loaded(FAILED, MANY, disabled=("Many failed",))
    assert find_changes(on, off).words() == ("rules now disabled: Many failed",)
    assert find_changes(off, on).words() == ("rules enabled again: Many failed",)
    assert find_changes(off, loaded(FAILED)).words() == ("rules removed: Many failed",)
    assert find_changes(loaded(FAILED), off).words() == ("rules added: Many failed", "rules now disabled: Many failed")


def test_a_building_block_that_is_switched_off_still_runs_and_is_told_as_off() -> None:
    said = find_changes(loaded(FAILED, MANY), loaded(FAILED, MANY, disabled=("failed",)))
    assert said.words() == ("rules now disabled: Login failed",)


def test_keys_of_the_configuration_without_their_values() -> None:
    hook = {"name": "ops", "url": "https://hooks.example/s3cret"}
    old = loaded(model={"name": "a"}, webhooks=[hook, {**hook, "name": "gone"}], api={"listen": "127.0.0.1:1"})
    new = loaded(
        model={"name": "b"},
        webhooks=[{**hook, "name": "new"}, {**hook, "url": "https://hooks.example/0ther"}],
        sources=[{"type": "host"}],
        state_directory="/srv/x",
    )

    said = find_changes(old, new)

    assert [(one.key, one.change) for one in said.config] == [
        ("state_directory", "changed"),
        ("model.name", "changed"),
        ("api.listen", "changed"),
        ("webhooks.ops.url", "changed"),
        ("webhooks.gone", "removed"),
        ("sources.host", "added"),
        ("webhooks.new", "added"),
    ]
    assert said.words()[0].startswith("configuration: state_directory changed, model.name changed, ")
    assert said.words()[1:] == ("at the next start: api and state_directory",)
    assert "s3cret" not in str(said)


def test_what_waits_for_the_next_start_is_told_until_it_is_as_it_was_at_this_one() -> None:
    first, other = loaded(api={"listen": "127.0.0.1:1"}), loaded(api={"listen": "127.0.0.1:2"})
    assert find_changes(first, other, first.config).at_next_start == ("api",)
    assert find_changes(other, other, first.config).words() == ("at the next start: api",)
    back = find_changes(other, first, first.config)
    assert back.words() == ("configuration: api.listen changed",)
    assert back.at_next_start == ()


def test_the_order_of_webhooks_is_no_change_and_another_kind_of_source_is() -> None:
    hooks = [{"name": name, "url": "https://hooks.example/x"} for name in ("a", "b")]
    assert find_changes(loaded(webhooks=hooks), loaded(webhooks=hooks[::-1])).words() == ()
    old = loaded(sources=[{"type": "host", "name": "x"}])
    new = loaded(sources=[{"type": "gpu", "name": "x"}])
    assert find_changes(old, new).words() == ("configuration: sources.x.type changed",)
    file = loaded(sources=[{"type": "file", "name": "x", "path": "/a"}])
    assert find_changes(old, file).words() == ("configuration: sources.x changed",)


def test_long_lists_are_cut_for_people_only() -> None:
    texts = [f"title: Rule {number:03}\n{FAILED.split(chr(10), 3)[3]}" for number in range(300)]
    said = find_changes(loaded(), loaded(*texts))
    assert len(said.added) == 300
    assert said.words() == (f"rules added: {', '.join(f'Rule {n:03}' for n in range(20))} and 280 more",)


def test_every_key_of_the_example_can_be_compared(repository: Path) -> None:
    example = Config.model_validate(yaml.safe_load((repository / "examples" / "config.yaml").read_text()))
    nothing = parse_rules({})
    assert find_changes(Loaded(example, nothing), Loaded(example, nothing)).words() == ()
