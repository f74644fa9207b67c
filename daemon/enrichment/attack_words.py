"""What an ATT&CK tactic or technique means, in half a sentence of ours. Ids always come from the rule."""

import re

_ID = re.compile(r"(?:attack\.)?(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)

TACTICS = {
    "reconnaissance": "somebody is gathering information before an attack",
    "resource development": "somebody is preparing tools or accounts for an attack",
    "initial access": "somebody is trying to get into the host",
    "execution": "somebody is running code of their own on the host",
    "persistence": "somebody is making sure that they can come back after a restart or a changed password",
    "privilege escalation": "somebody is trying to gain higher rights",
    "defense evasion": "somebody is trying not to be seen",
    "stealth": "somebody is trying not to be seen",
    "defense impairment": "somebody is weakening the defences of the host",
    "credential access": "somebody is trying to obtain passwords, keys or tokens",
    "discovery": "somebody is looking around: accounts, software, network",
    "lateral movement": "somebody is moving from this host to others",
    "collection": "somebody is gathering data worth taking",
    "command and control": "the host is talking to somebody who controls what runs on it",
    "exfiltration": "data may be leaving the host",
    "impact": "somebody is damaging, encrypting or exhausting the host",
}

TECHNIQUES = {
    "T1003": "reading stored credentials of the system",
    "T1014": "hiding with a rootkit",
    "T1016": "reading the network configuration",
    "T1018": "looking for other hosts",
    "T1021": "using remote services to reach other hosts",
    "T1027": "hiding what a command or file does",
    "T1033": "asking who the users are",
    "T1036": "giving a file or process a misleading name",
    "T1037": "starting a program from a boot or logon script",
    "T1040": "listening to network traffic",
    "T1046": "scanning for network services",
    "T1048": "sending data out over another protocol",
    "T1049": "listing network connections",
    "T1053": "running a program from a scheduler such as cron",
    "T1053.003": "running a program from cron",
    "T1055": "putting code into another process",
    "T1057": "listing processes",
    "T1059": "running commands through an interpreter",
    "T1059.004": "running commands through a Unix shell",
    "T1059.006": "running commands through Python",
    "T1068": "exploiting a flaw to gain higher rights",
    "T1069": "listing groups and their rights",
    "T1070": "removing traces",
    "T1070.002": "clearing system logs",
    "T1070.003": "clearing the command history",
    "T1070.004": "deleting files that are evidence",
    "T1070.006": "changing the times of files",
    "T1071": "hiding control traffic in an ordinary protocol",
    "T1078": "using an account that exists",
    "T1082": "asking what system this is",
    "T1083": "looking through files and directories",
    "T1087": "listing accounts",
    "T1090": "passing traffic through a proxy",
    "T1095": "controlling a host over a plain network connection",
    "T1098": "changing an account to keep access",
    "T1105": "downloading a tool from another host",
    "T1110": "guessing passwords",
    "T1123": "recording sound",
    "T1136": "creating an account",
    "T1140": "decoding hidden data or commands",
    "T1190": "attacking a service that is open to the network",
    "T1222": "changing the permissions of files",
    "T1485": "destroying data",
    "T1486": "encrypting data to extort money",
    "T1489": "stopping services",
    "T1490": "destroying what systems are restored from",
    "T1496": "using the host's computing power, for example to mine",
    "T1498": "flooding a network",
    "T1499": "exhausting a service",
    "T1505.003": "controlling a web server through a script left on it",
    "T1529": "shutting the system down",
    "T1543": "running a program as a system service",
    "T1543.002": "running a program as a systemd service",
    "T1546": "running a program when a certain event happens",
    "T1547": "running a program at boot or logon",
    "T1547.006": "loading a kernel module",
    "T1548": "abusing the mechanisms that grant higher rights",
    "T1548.001": "abusing setuid or setgid programs",
    "T1548.003": "abusing sudo",
    "T1552": "looking for passwords and keys left in files",
    "T1553": "getting around checks of trust",
    "T1554": "replacing a program by a changed one",
    "T1555": "reading saved passwords of browsers and password safes",
    "T1556": "changing how logins are checked",
    "T1557": "placing oneself between two hosts that talk",
    "T1560": "packing data before taking it",
    "T1561": "wiping disks",
    "T1562": "weakening the defences of the host",
    "T1562.001": "disabling security tools",
    "T1562.004": "disabling or changing the firewall",
    "T1562.012": "disabling the audit system",
    "T1564": "hiding files, users or processes",
    "T1567": "sending data out through a web service",
    "T1569": "running code through a system service",
    "T1571": "talking over an unusual port",
    "T1572": "tunnelling traffic inside another protocol",
    "T1574": "making a program load foreign code",
    "T1574.006": "making programs load a foreign library",
    "T1595": "scanning from outside",
    "T1610": "starting a container",
    "T1611": "breaking out of a container",
    "T1620": "running code that never touches the disk",
}


def technique_id(tag: str) -> str:
    """`attack.t1059.004` or `T1059.004` → `T1059.004`; empty for anything else."""
    found = _ID.fullmatch(tag.strip())
    return found[1].upper() if found else ""


def say_technique(tag: str) -> str:
    """What a technique means, its parent's meaning if only that is known, else empty."""
    name = technique_id(tag)
    return TECHNIQUES.get(name) or TECHNIQUES.get(name.split(".")[0], "")


def say_tactic(tag: str) -> str:
    """What a tactic (`attack.command-and-control`, `command_and_control`) means, or empty."""
    name = tag.strip().lower().removeprefix("attack.").replace("-", " ").replace("_", " ")
    return TACTICS.get(name, "")
