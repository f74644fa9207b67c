from daemon.cli.demo.play import EXPECTED
from daemon.config import read_rule_files
from daemon.detection.rules import parse_rules


def test_the_demo_expects_rules_that_are_shipped() -> None:
    titles = {rule.ref.title for rule in parse_rules(read_rule_files(["shipped"])).rules}

    assert titles >= EXPECTED
