"""Names of system calls; numbers as in the kernel's headers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.events.syscalls import syscall_name

X86_64, I386, AARCH64 = "c000003e", "40000003", "c00000b7"


@pytest.mark.parametrize(
    ("arch", "number", "name"),
    [
        *((X86_64, number, name) for number, name in (("0", "read"), ("41", "socket"), ("42", "connect"))),
        *((X86_64, number, name) for number, name in (("59", "execve"), ("101", "ptrace"), ("103", "syslog"))),
        *((X86_64, number, name) for number, name in (("133", "mknod"), ("175", "init_module"), ("257", "openat"))),
        *(
            (X86_64, number, name)
            for number, name in (("319", "memfd_create"), ("322", "execveat"), ("452", "fchmodat2"))
        ),
        *((I386, number, name) for number, name in (("11", "execve"), ("102", "socketcall"), ("358", "execveat"))),
        *((AARCH64, number, name) for number, name in (("221", "execve"), ("281", "execveat"), ("203", "connect"))),
        ("c00000f3", "221", "execve"),
        (X86_64, str(0x40000000 + 520), "execve"),
        (X86_64, "400", ""),
        (AARCH64, "250", ""),
        ("ffffffff", "59", ""),
        (X86_64, "", ""),
        (X86_64, "-1", ""),
        (X86_64, "execve", ""),
        (X86_64, "9" * 5000, ""),
    ],
)
def test_names(arch: str, number: str, name: str) -> None:
    assert syscall_name(arch, number) == name


@pytest.mark.parametrize(("arch", "header"), [(X86_64, "unistd_64.h"), (I386, "unistd_32.h")])
def test_the_tables_are_those_of_the_kernels_headers(arch: str, header: str) -> None:
    path = Path("/usr/include/x86_64-linux-gnu/asm") / header
    if not path.is_file():
        pytest.skip(f"needs the kernel's headers for user space: {path}")
    for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", path.read_text()):
        assert syscall_name(arch, number) == name


SPELT_OTHERWISE = {
    (X86_64, "17"): "pread",
    (X86_64, "18"): "pwrite",
    (I386, "283"): "sys_kexec_load",
    (I386, "423"): "sched_rr_get_interval64",
    (AARCH64, "61"): "getdents",
    (AARCH64, "67"): "pread",
    (AARCH64, "68"): "pwrite",
    (AARCH64, "80"): "newfstat",
}
"""What auditd 3.0.9 calls otherwise than the kernel's headers do."""


@pytest.mark.parametrize(("arch", "machine"), [(X86_64, "x86_64"), (I386, "i386"), (AARCH64, "aarch64")])
def test_the_tables_are_those_of_auditd(arch: str, machine: str) -> None:
    if shutil.which("ausyscall") is None:
        pytest.skip("needs ausyscall of Debian's package auditd")
    done = subprocess.run(["ausyscall", machine, "--dump"], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
    assert len(rows) > 300
    for number, name in rows:
        assert name in {syscall_name(arch, number), SPELT_OTHERWISE.get((arch, number))}
