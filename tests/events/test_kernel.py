"""What the kernel says of processes, disks, filesystems, GPUs, interfaces and packets."""

from typing import Any

import pytest

from daemon.events.kernel import parse_kernel, without_stamp

PACKET = (
    "[UFW BLOCK] IN=eth0 OUT= MAC=aa:bb SRC=203.0.113.9 DST=192.0.2.7 LEN=40 TOS=0x00 PREC=0x00 TTL=244 ID=1 "
    "PROTO=TCP SPT=40000 DPT=22 WINDOW=1024 RES=0x00 SYN URGP=0"
)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "Out of memory: Killed process 4242 (python3) total-vm:123456kB, anon-rss:1kB, file-rss:0kB, UID:1000",
            {"action": "oom_kill", "comm_pid": "4242", "comm": "python3", "total_vm_kb": "123456"},
        ),
        (
            "[ 1234.567890] Memory cgroup out of memory: Killed process 7 (a) b) total-vm:1kB, anon-rss:1kB",
            {"action": "oom_kill", "comm_pid": "7", "comm": "a) b"},
        ),
        ("Out of memory: Kill process 12 (java) score 900 or sacrifice child", {"action": "oom_kill", "comm": "java"}),
        ("Killed process 12 (java) total-vm:5kB, anon-rss:1kB", {"action": "oom_kill", "comm_pid": "12"}),
        (
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/x,task=java,pid=12,uid=0",
            {"action": "oom", "constraint": "CONSTRAINT_NONE", "comm": "java", "comm_pid": "12", "uid": "0"},
        ),
        ("java invoked oom-killer: gfp_mask=0x100cca, order=0", {"action": "oom_invoked", "comm": "java"}),
        (
            "nginx[321]: segfault at 0 ip 00007f0000000010 sp 00007ffc00000000 error 4 in libc.so.6[7f0000000000+1000]",
            {"action": "segfault", "comm": "nginx", "comm_pid": "321", "address": "0", "error": "4", "library": "libc.so.6"},
        ),
        ("x[1]: segfault at 10 ip 1 sp 2 error 15", {"action": "segfault", "comm": "x"}),
        (
            "traps: nginx[321] general protection fault ip:7f0 sp:7ff error:0 in nginx[400000+1000]",
            {"action": "trap", "comm": "nginx", "comm_pid": "321", "trap": "general protection fault"},
        ),
        (
            "blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0",
            {"action": "io_error", "device": "sda", "sector": "2048"},
        ),
        ("critical medium error, dev sdb, sector 9 op 0x0", {"action": "io_error", "device": "sdb", "kind": "critical medium"}),
        (
            "Buffer I/O error on dev sda1, logical block 0, async page read",
            {"action": "io_error", "device": "sda1", "block": "0"},
        ),
        ("nvme nvme0: I/O 12 QID 3 timeout, aborting", {"action": "io_error", "device": "nvme0"}),
        (
            "EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm ls: deleted inode referenced: 12",
            {"action": "fs_error", "fs": "EXT4", "device": "sda1"},
        ),
        ("XFS (dm-0): Corruption detected. Unmount and run xfs_repair", {"action": "fs_error", "device": "dm-0", "fs": "XFS"}),
        ("EXT4-fs (sda1): Remounting filesystem read-only", {"action": "fs_readonly", "device": "sda1"}),
        (
            "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, name=python3, GPU has fallen off the bus.",
            {"action": "gpu_xid", "gpu_pci": "0000:3b:00", "xid": "79"},
        ),
        ("NVRM: Xid (PCI:0000:3b:00.0): 31", {"action": "gpu_xid", "xid": "31"}),
        ("NVRM: GPU 0000:3b:00.0: GPU has fallen off the bus.", {"action": "gpu_lost", "gpu_pci": "0000:3b:00.0"}),
        ("device eth0 entered promiscuous mode", {"action": "promiscuous", "device": "eth0", "change": "entered"}),
        ("e1000 0000:00:03.0 eth0: left promiscuous mode", {"action": "promiscuous", "device": "eth0", "change": "left"}),
        (
            "usb 1-1.2: New USB device found, idVendor=0781, idProduct=5567, bcdDevice= 1.00",
            {"action": "usb_device", "port": "1-1.2", "vendor": "0781", "product": "5567"},
        ),
        ("usb 1-1.2: USB disconnect, device number 7", {"action": "usb_removed", "port": "1-1.2"}),
        (
            "INFO: task jbd2/sda1-8:233 blocked for more than 120 seconds.",
            {"action": "hung_task", "comm": "jbd2/sda1-8", "comm_pid": "233", "seconds": "120"},
        ),
        ("watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [x:1]", {"action": "lockup", "kind": "soft", "cpu": "3"}),
        ("mce: [Hardware Error]: Machine check events logged", {"action": "machine_check"}),
        ("EDAC MC0: 1 CE memory read error on DIMM_A1", {"action": "machine_check", "kind": "CE"}),
        ("rootkit: loading out-of-tree module taints kernel.", {"action": "module_tainted", "module": "rootkit"}),
        ("Kernel panic - not syncing: Attempted to kill init!", {"action": "panic"}),
        ("BUG: kernel NULL pointer dereference, address: 0", {"action": "oops"}),
        (
            PACKET,
            {
                "action": "packet", "src_ip": "203.0.113.9", "dst_ip": "192.0.2.7", "src_port": "40000", "dst_port": "22",
                "protocol": "TCP", "interface": "eth0", "prefix": "[UFW BLOCK]",
            },
        ),
    ],
)  # fmt: skip
def test_messages(message: str, fields: dict[str, Any]) -> None:
    assert parse_kernel(message).items() >= fields.items()


@pytest.mark.parametrize(
    "message", ["", "hello", "usb 1-1: new device", "Killed process x (y)", "segfault at ", "NVRM: Xid", "x" * 5000]
)
def test_the_unknown_has_no_fields(message: str) -> None:
    assert parse_kernel(message) == {}


def test_the_uptime_is_no_part_of_a_message() -> None:
    assert without_stamp("[    1.5] x") == without_stamp("[1.5]x") == without_stamp("x") == "x"


@pytest.mark.parametrize(
    "comm",
    ["", "a", "[9] trap ip:0", "x) total-vm:1kB", "y[9]: segfault", "]: segfault at ", "a,pid=9,uid=9", ",task=b"],
)
def test_no_name_of_a_process_bends_its_number(comm: str) -> None:
    for message in (
        f"Out of memory: Killed process 77 ({comm}) total-vm:5kB, anon-rss:1kB",
        f"{comm}[77]: segfault at 0 ip 1 sp 2 error 4 in evil[9]: segfault at 0 ip 1 sp 2 error 4 in x[1+1]",
        f"traps: {comm}[77] trap divide error ip:1 sp:2 error:0 in x[9] trap a ip:1 sp:2 error:0",
        f"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task_memcg=/x,task=y,pid=8,uid=8,task={comm},pid=77,uid=5",
        f"INFO: task {comm}:77 blocked for more than 120 seconds.",
    ):
        fields = parse_kernel(message)
        assert fields.get("comm_pid", "77") == "77", message
        assert fields.get("total_vm_kb", "5") == "5", message
        assert fields.get("uid", "5") == "5", message
