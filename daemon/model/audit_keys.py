"""The keys that audit records have, as far as anybody lists them, and what Sigma's taxonomy has besides.

The kernel and programs may write keys that no list has, so an unknown one is only doubted where it looks like a known
one that was mistyped. Source of the names: the field dictionary of the Linux audit documentation project, the keys that
AppArmor, SELinux and BPF write in the kernel (`audit_log_format`), auparse's of what auditd interprets (upper case).
"""

AUDIT_KEYS = frozenset(
    """
    a0 a1 a2 a3 acct acl action added addr apparmor arch argc audit_backlog_limit audit_backlog_wait_time
    audit_enabled audit_failure audit_pid audit_rate_limit audit_sig auid backlog banners bool bprm bus calipso_doi
    calipso_type cap_fe cap_fi cap_fp cap_frootid cap_fver cap_pa cap_pe cap_pi cap_pp capability category cgroup
    changed cipher cipso_doi cipso_type class cmd code comm compat cwd daddr data default-context denied denied_mask
    dest dev device dir direction disposition dmac dport dst dst_prefixlen egid enabled enforcing entries errno
    error euid exe exit fam family fan_info fan_type fd fe feature fi file flags format fp frootid fs_gid fs_uid
    fsgid fsuid fver gid grantors grp hook hostname icmp_type id igid img-ctx inif info ino inode inode_gid
    inode_uid invalid_context ioctlcmd ip ipid ipx-net item items iuid kauditd kernel key kind ksize label laddr len
    list lost lport lsm mac macproto maj major mark mask minor mode model msg name namespace nametype nargs net new
    new-auid new-chardev new-disk new-enabled new-fs new-level new-log_passwd new-mem new-net new-range new-rng
    new-role new-seuser new-vcpu new_gid new_lock new_pa new_pe new_pi new_pp nlnk-fam nlnk-grp nlnk-pid oauid obj
    obj_gid obj_trust obj_uid objtype ocomm oflag ogid old old-auid old-chardev old-disk old-enabled old-fs
    old-level old-log_passwd old-mem old-net old-range old-rng old-role old-ses old-seuser old-vcpu old_enforcing
    old_lock old_pa old_pe old_pi old_pp old_prom old_val op opid operation oses ouid outif pa parent path pe peer
    peer_addr peer_profile per perm perm_mask permissive pfs pi pid pp ppid printer proctitle profile prog-id prom
    proto qbytes range rdev reason removed request requested requested_mask res resolve resp result role root_dir
    rport saddr saddr_fam sauid scontext selected-context sender seperm seperms seqno seresult ses seuser sgid sig
    sigev_signo smac sock_type socket_family source spi spid sport src src_prefixlen state subj subj_trust success
    suid sw syscall table tclass target tcontext terminal text timer tty type uid umask unit uri uring_op user uuid
    val vcpu ver version virt vm vm-ctx vm-pid watch

    ARCH AUID EGID EUID FSGID FSUID GID ID INODE_GID INODE_UID OAUID OBJ_GID OBJ_UID OGID OLD-AUID OUID SADDR SAUID SGID
    SUID SYSCALL UID
    """.split()  # noqa: SIM905 - two hundred names are read more easily without quotes
)
"""Besides `a0` to `a3` every argument of a program has a key of its own: `a4`, `a15` …"""

_EVERYWHERE = """
    Computer EventID EventRecordID EventType Hashes Image ProcessGuid ProcessId Provider_Name RuleName TaskName User
    UtcTime
"""
SIGMA: dict[str, frozenset[str]] = {
    "process_creation": frozenset(
        f"""{_EVERYWHERE}
        CommandLine Company CurrentDirectory Description FileVersion Imphash IntegrityLevel LogonGuid LogonId
        OriginalFileName ParentCommandLine ParentImage ParentProcessGuid ParentProcessId ParentUser Product
        TerminalSessionId imphash md5 sha1 sha256
        """.split()
    ),
    "file_event": frozenset(f"{_EVERYWHERE} CreationUtcTime TargetFilename".split()),
    "network_connection": frozenset(
        f"""{_EVERYWHERE}
        DestinationHostname DestinationIp DestinationIsIpv6 DestinationPort DestinationPortName Initiated Protocol
        SourceHostname SourceIp SourceIsIpv6 SourcePort SourcePortName
        """.split()
    ),
}
"""What Sigma's taxonomy gives these categories: rules of others name them, and nobody is told that they are wrong."""
