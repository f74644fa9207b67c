"""Names, and nothing but names: what they are true of is in test_fields.py."""

import re

from daemon.model.audit_keys import AUDIT_KEYS, SIGMA
from daemon.model.fields import CATEGORIES


def test_keys_are_written_as_auditd_writes_them() -> None:
    assert len(AUDIT_KEYS) > 250
    assert [key for key in AUDIT_KEYS if not re.fullmatch(r"[a-z][a-z0-9_-]*|[A-Z][A-Z_-]*", key)] == []


def test_of_sigma_s_taxonomy_we_make_the_greater_part() -> None:
    assert SIGMA.keys() <= CATEGORIES.keys()
    for category, names in SIGMA.items():
        assert len(names & CATEGORIES[category].keys()) >= 4, category
