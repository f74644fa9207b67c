"""Run by the system's Python, where Debian's python3-audit is: a log → what libauparse makes of it, one event a line.

Usage: /usr/bin/python3 auparse_dump.py LOG. Each line is JSON: {"id": [node, seconds, milliseconds, serial],
"records": [{"type": …, "text": …, "fields": {name: [as written, as interpreted]}}]}.
"""

import json
import sys
from typing import Any

import auparse  # type: ignore[import-not-found] # Debian's, for the system's Python only


def said(ask: Any) -> str | None:
    """What a field says; None where libauparse has nothing, or bytes that its binding cannot hand over."""
    try:
        value: str | None = ask()
    except (UnicodeDecodeError, LookupError, RuntimeError, TypeError, ValueError, OSError):
        return None
    return value


def fields_of(parser: Any) -> dict[str, list[str | None]]:
    """The fields of the current record; of several of one name the first."""
    found: dict[str, list[str | None]] = {}
    more = parser.first_field()
    while more:
        name = said(parser.get_field_name)
        if name is not None and name not in found:
            found[name] = [said(parser.get_field_str), said(parser.interpret_field)]
        more = parser.next_field()
    return found


def records_of(parser: Any) -> list[dict[str, Any]]:
    """The records of the current event."""
    records = []
    more = parser.first_record()
    while more:
        text = said(parser.get_record_text)
        records.append({"type": said(parser.get_type_name), "text": text, "fields": fields_of(parser)})
        more = parser.next_record()
    return records


def main(path: str) -> None:
    """Print every event."""
    parser = auparse.AuParser(auparse.AUSOURCE_FILE, path)
    parser.set_escape_mode(auparse.AUPARSE_ESC_RAW)
    more = parser.parse_next_event()
    while more:
        stamp = parser.get_timestamp()
        identity = [stamp.host, stamp.sec, stamp.milli, stamp.serial]
        sys.stdout.write(json.dumps({"id": identity, "records": records_of(parser)}) + "\n")
        more = parser.parse_next_event()


if __name__ == "__main__":
    main(sys.argv[1])
