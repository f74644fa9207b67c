"""A path that no record has is said before anybody misses its field."""

import json
from pathlib import Path
from typing import Any

from daemon.cli.unmapped import unmapped
from daemon.config import Config


def a_config(tmp_path: Path, mapping: dict[str, Any], records: int = 30) -> Config:
    log = tmp_path / "app.json"
    rows = [{"user": {"name": "bob"}, "at": 5, **({"rare": 1} if number == 7 else {})} for number in range(records)]
    log.write_text("half a line\n" + "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    source = {"type": "file", "name": "app", "path": str(log), "format": "json", "mapping": mapping}
    return Config.model_validate({"sources": [source]})


def test_a_path_that_no_record_has_is_named(tmp_path: Path) -> None:
    config = a_config(tmp_path, {"time": "at", "fields": {"User": "user.nme", "X": "rare"}})
    ((place, said),) = unmapped(config)
    assert place == ("sources", 0, "mapping")
    assert said == f"expected a path that records have (none of the last 30 in {tmp_path}/app.json has user.nme)"


def test_few_records_or_none_accuse_nobody(tmp_path: Path) -> None:
    wrong = {"fields": {"User": "user.nme"}}
    assert list(unmapped(a_config(tmp_path, wrong, records=5))) == []
    config = a_config(tmp_path, wrong)
    (tmp_path / "app.json").unlink()
    assert list(unmapped(config)) == []


def test_a_mapping_of_nothing_is_said_to_be_one(tmp_path: Path) -> None:
    ((_, said),) = unmapped(a_config(tmp_path, {}))
    assert "names nothing" in said
    intake = {"type": "intake", "token_file": "/x", "mapping": {}}
    ((place, _),) = unmapped(Config.model_validate({"sources": [intake]}))
    assert place == ("sources", 0, "mapping")
    named = {**intake, "mapping": {"fields": {"User": "nowhere"}}}
    assert list(unmapped(Config.model_validate({"sources": [named]}))) == []  # what comes is not known yet
