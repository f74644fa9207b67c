"""Sysmon's XML is read for its data, and for nothing else."""

from typing import Any

import pytest

from daemon.events.sysmon import is_sysmon, sysmon_fields, sysmon_xml
from tests.doubles.tool_records import SYSMON_XML


def test_entities_are_resolved_once_and_none_of_its_own() -> None:
    xml = SYSMON_XML.replace("/tmp", "&amp;lt;&#x41;&xxe;&quot;")
    fields, _ = sysmon_fields({"Message": xml})
    assert fields["CurrentDirectory"] == '&lt;A&xxe;"'


def test_data_that_holds_a_tag_of_its_own_forges_no_field() -> None:
    """Sysmon escapes: a `<` in a value can only stand for a tag of the XML itself."""
    xml = SYSMON_XML.replace("www-data", "x&lt;/Data&gt;&lt;Data Name=&quot;Image&quot;&gt;/bin/true&lt;/Data&gt;")
    fields, _ = sysmon_fields({"Message": xml})
    assert fields["Image"] == "/usr/bin/bash"
    assert fields["User"] == 'x</Data><Data Name="Image">/bin/true</Data>'


@pytest.mark.parametrize("record", [{}, {"Message": 5}, {"Message": "<Event>"}, {"Event": []}, {"EventData": {"a": 1}},
    {"System": {"Provider": "Linux-Sysmon"}, "EventData": {"a": 1}}, {"Message": "x" + SYSMON_XML}])  # fmt: skip
def test_what_is_none_of_sysmons(record: dict[str, Any]) -> None:
    assert not is_sysmon(record)
    assert sysmon_xml(record) == ""


def test_a_real_one(shared_data: Any) -> None:
    text = (shared_data / "splunk-attack_data" / "octave_sysmon_linux.txt").read_text().splitlines()[0]
    fields, category = sysmon_fields({"Message": text})
    assert category == "process_creation"
    assert fields["CommandLine"] == 'octave-cli --eval system("/bin/ls")'
    assert fields["ParentImage"] == "/usr/bin/sudo"
