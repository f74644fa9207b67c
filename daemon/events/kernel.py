"""What the kernel says → fields: killed for memory, crashes, disks, filesystems, GPUs, interfaces, firewall, USB.

A process chooses its own `comm` (15 bytes of anything) and a mapped file's name, so both stand between words of the
kernel that are longer than a `comm` can be, or are anchored to the kernel's numbers at the line's end.
"""

import re

from daemon.events.peers import Fields, source_fields

_STAMP = re.compile(r"\[ *[0-9]{1,12}\.[0-9]{1,9}\] ?")
_COMM = r"(?P<comm>.{0,60}"  # 15 bytes, of which each may be written as four characters
_PID = r"(?P<comm_pid>[0-9]{1,10})"
_HEX = r"[0-9a-f]{1,16}"
_DEVICE = r"(?P<device>[^ ,:()]{1,48})"
_PATTERNS = (
    (
        "ut of memory",
        "oom_kill",
        (
            rf"(?:Memory cgroup out|Out) of memory(?: \([^()]{{0,64}}\))?: Kill(?:ed)? process {_PID} \({_COMM})\)"
            r"(?:,? (?:total-vm:(?P<total_vm_kb>[0-9]{1,20})kB|score [0-9]|UID [0-9]).*)?"
        ),
    ),
    (
        "Killed process ",
        "oom_kill",
        rf"Killed process {_PID} \({_COMM})\),? total-vm:(?P<total_vm_kb>[0-9]{{1,20}})kB.*",
    ),
    (
        "oom-kill:",
        "oom",
        rf"oom-kill:constraint=(?P<constraint>[A-Z_]{{1,40}}),.*,task={_COMM}),pid={_PID},uid=(?P<uid>[0-9]{{1,10}})",
    ),
    (" invoked oom-killer", "oom_invoked", rf"{_COMM}?) invoked oom-killer: .*"),
    (
        "segfault at ",
        "segfault",
        (
            rf"{_COMM}?)\[{_PID}\]: segfault at (?P<address>{_HEX}) ip (?P<ip>{_HEX}) sp {_HEX} error (?P<error>{_HEX})"
            r"(?: in (?P<library>.*)\[.*|.*)"
        ),
    ),
    (
        "traps: ",
        "trap",
        rf"traps: {_COMM}?)\[{_PID}\]:? (?P<trap>[a-z][a-z0-9 ]{{0,40}}) ip:(?P<ip>{_HEX}) sp:{_HEX} error:{_HEX}.*",
    ),
    (
        " error, dev ",
        "io_error",
        rf"(?:[a-z_]{{1,40}}: )?(?P<kind>[A-Za-z /]{{1,40}}) error, dev {_DEVICE}, sector (?P<sector>[0-9]{{1,20}}).*",
    ),
    ("I/O error on dev", "io_error", rf"Buffer I/O error on dev(?:ice)? {_DEVICE}, .*block (?P<block>[0-9]{{1,20}}).*"),
    (
        "I/O error ",
        "io_error",
        rf"(?:XFS \([^()]{{1,48}}\): )?(?:[a-z]+ )?I/O error (?:on|in) (?:device )?\"?{_DEVICE}.*",
    ),
    (": I/O ", "io_error", r"(?:nvme )?(?P<device>nvme[0-9]{1,4})(?:n[0-9]{1,4})?: I/O .*(?:timeout|abort).*"),
    ("-fs error ", "fs_error", rf"(?P<fs>[A-Za-z0-9]{{2,16}})-fs error \(device {_DEVICE}\):? ?(?P<reason>.*)"),
    ("XFS ", "fs_error", rf"(?P<fs>XFS) \({_DEVICE}\): (?P<reason>.*(?:[Cc]orrupt|error|hut(?:ting)? ?down).*)"),
    (
        "BTRFS ",
        "fs_error",
        rf"(?P<fs>BTRFS) (?:error|critical) \((?:device )?{_DEVICE}[^()]{{0,64}}\):? (?P<reason>.*)",
    ),
    (
        "emounting filesystem read-only",
        "fs_readonly",
        rf"(?:(?P<fs>[A-Za-z0-9]{{2,16}})-fs \((?:device )?{_DEVICE}\): )?[Rr]emounting filesystem read-only",
    ),
    (
        "NVRM: Xid",
        "gpu_xid",
        r"NVRM: Xid \(PCI:(?P<gpu_pci>[0-9A-Fa-f:.]{4,32})\): (?P<xid>[0-9]{1,5})(?:, (?P<reason>.*))?",
    ),
    (
        "NVRM: GPU",
        "gpu_lost",
        r"NVRM: GPU (?:at )?(?:PCI:)?(?P<gpu_pci>[0-9A-Fa-f:.]{4,31}[0-9A-Fa-f]):? .*(?:fallen off|lost).*",
    ),
    (
        " promiscuous mode",
        "promiscuous",
        (
            r"(?:[a-z0-9_]{1,32} [0-9a-f:.]{1,32} )?(?:device )?(?P<device>[^ :]{1,32}):? (?P<change>entered|left) "
            r"promiscuous mode"
        ),
    ),
    (
        "USB device found",
        "usb_device",
        (
            r"usb (?P<port>[0-9.-]{1,32}): New USB device found, idVendor=(?P<vendor>[0-9a-f]{4}), "
            r"idProduct=(?P<product>[0-9a-f]{4}).*"
        ),
    ),
    ("USB disconnect", "usb_removed", r"usb (?P<port>[0-9.-]{1,32}): USB disconnect, device number [0-9]{1,5}"),
    (
        " blocked for more than ",
        "hung_task",
        rf"INFO: task {_COMM}):{_PID} blocked for more than (?P<seconds>[0-9]{{1,9}}) seconds\.",
    ),
    (" lockup ", "lockup", r"(?:watchdog: )?BUG: (?P<kind>soft|hard) lockup - CPU#(?P<cpu>[0-9]{1,5}) stuck for .*"),
    (
        "hard LOCKUP",
        "lockup",
        r"(?:NMI watchdog: )?Watchdog detected (?P<kind>hard) LOCKUP on cpu (?P<cpu>[0-9]{1,5}).*",
    ),
    ("[Hardware Error]", "machine_check", r"(?:mce: )?\[Hardware Error\]: .*"),
    ("EDAC ", "machine_check", r"EDAC [A-Za-z0-9#_-]{1,32}: [0-9]{1,9} (?P<kind>CE|UE) .*"),
    (
        " taint",
        "module_tainted",
        r"(?P<module>[^ :]{1,64}): (?:module verification failed|loading out-of-tree module taints kernel).*",
    ),
    ("kernel BUG", "oops", r"kernel BUG at .*"),
    ("Oops", "oops", r"Oops: .*"),
    ("BUG: ", "oops", r"BUG: (?:kernel NULL pointer|unable to handle) .*"),
    ("Kernel panic", "panic", r"Kernel panic - not syncing.*"),
)
_COMPILED = tuple((hint, action, re.compile(pattern, re.DOTALL)) for hint, action, pattern in _PATTERNS)
_PACKET = re.compile(
    r"(?P<prefix>.{0,64}?)IN=(?P<in>[^ ]{0,32}) OUT=(?P<out>[^ ]{0,32}) (?:[A-Z]+=[^ ]{0,64} ){0,6}?"
    r"SRC=(?P<src>[0-9A-Fa-f.:]{2,45}) DST=(?P<dst>[0-9A-Fa-f.:]{2,45}) "
)
_PORTS = re.compile(r" PROTO=(?P<protocol>[A-Z0-9a-z]{1,16})(?: SPT=(?P<sport>[0-9]{1,5}) DPT=(?P<dport>[0-9]{1,5}))?")
_LONGEST = 2048


def without_stamp(message: str) -> str:
    """A kernel message without the uptime that some systems leave before it (`[ 1234.567890] `)."""
    stamp = _STAMP.match(message)
    return message[stamp.end() :] if stamp else message


def parse_kernel(message: str) -> Fields:
    """`action` and the numbers and names that belong to it; empty for what we know nothing of.

    `comm`/`comm_pid` are the process spoken of, `device` the disk or interface, `xid`/`gpu_pci` a GPU's error,
    `src_ip`/`dst_ip`/`dst_port` a packet that the firewall wrote down (`action` packet).
    """
    said = without_stamp(message)
    if len(said) > _LONGEST:
        return {}
    packet = _PACKET.match(said) if " SRC=" in said else None
    if packet is not None:
        return _packet(packet, said)
    for hint, action, pattern in _COMPILED:
        found = pattern.fullmatch(said) if hint in said else None
        if found is not None:
            fields: Fields = {"action": action}
            fields.update((key, value) for key, value in found.groupdict().items() if value)
            return fields
    return {}


def _packet(found: re.Match[str], said: str) -> Fields:
    """A line of netfilter's LOG target (`[UFW BLOCK] IN=… OUT=… … SRC=… DST=… … PROTO=… SPT=… DPT=…`)."""
    fields: Fields = {"action": "packet", **source_fields(found["src"]), "dst_ip": found["dst"]}
    named = {"prefix": found["prefix"].strip(" "), "interface": found["in"], "out_interface": found["out"]}
    ports = _PORTS.search(said, found.end() - 1)
    if ports is not None:
        named |= {"protocol": ports["protocol"], "src_port": ports["sport"], "dst_port": ports["dport"]}
    return fields | {key: value for key, value in named.items() if value}
