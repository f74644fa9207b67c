from daemon.api.audit import AuditStatus, Blind
from daemon.api.wire import encode


def test_what_is_not_known_is_said_to_be_unseen() -> None:
    assert AuditStatus().detection == "none"
    status = AuditStatus(gap_events=3, detection="partial", missing=(Blind("kernel", "why", "mend"),))
    assert encode(status) == (
        b'{"gap_events":3,"incomplete":0,"kernel_lost":0,"detection":"partial",'
        b'"missing":[{"signal":"kernel","why":"why","mend":"mend"}]}'
    )
