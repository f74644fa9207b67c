"""Which file is this, and is it still the one that was read? Device, inode, and two hashes of its content.

An inode alone says little: ext4 gives the number of a deleted file to the next one at once. So an identity also holds
a hash of the first bytes, at most 256 of them and only of those already read: whole lines of a log never change, while
a preallocated or half-written rest may. It reads `device:inode:length-hash` (device and inode in hexadecimal), and as
it carries its own length, one taken while the file was short still fits after it grew. The marker of a checkpoint is a
hash of the last 64 bytes read: it tells a file that was truncated and refilled from one that only grew.
"""

import hashlib
import os
import re
from typing import NamedTuple

from daemon.model import Checkpoint

HEAD = 256
"""How many first bytes an identity covers at most."""
TAIL = 64
"""How many bytes before the offset a marker covers at most."""

_IDENTITY = re.compile(r"([0-9a-f]{1,16}):([0-9a-f]{1,16}):(\d{1,3})-([0-9a-f]{16})")


class Identity(NamedTuple):
    """The parts of an identity."""

    device: int
    inode: int
    length: int
    hash: str


def digest(data: bytes) -> str:
    """64 bits of BLAKE2b, in hexadecimal."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def build_identity(device: int, inode: int, head: bytes) -> str:
    """The identity of a file of which `head` are the first bytes read."""
    return f"{device:x}:{inode:x}:{len(head)}-{digest(head)}"


def parse_identity(text: str) -> Identity | None:
    """The parts; None for what is no identity (an empty one says that no file was there yet)."""
    match = _IDENTITY.fullmatch(text)
    if match is None or int(match[3]) > HEAD:
        return None
    return Identity(int(match[1], 16), int(match[2], 16), int(match[3]), match[4])


def read_tail(fd: int, offset: int) -> bytes:
    """The at most 64 bytes before `offset`."""
    return os.pread(fd, min(TAIL, offset), max(0, offset - TAIL))


def same_content(fd: int, checkpoint: Checkpoint) -> bool:
    """Whether the open file holds what had been read, whatever its inode: first bytes and bytes before the offset."""
    identity, offset = parse_identity(checkpoint.position.identity), checkpoint.position.offset
    if identity is None or offset < identity.length or os.fstat(fd).st_size < offset:
        return False
    if digest(os.pread(fd, identity.length, 0)) != identity.hash:
        return False
    return not checkpoint.marker or digest(read_tail(fd, offset)) == checkpoint.marker


def is_same_file(fd: int, checkpoint: Checkpoint) -> bool:
    """Whether the open file is the one that the checkpoint speaks of.

    The device number may have changed since (LVM, NVMe and btrfs number anew at boot): then the inode and at least
    some content must agree.
    """
    identity = parse_identity(checkpoint.position.identity)
    if identity is None:
        return False
    stat = os.fstat(fd)
    if stat.st_ino != identity.inode or (stat.st_dev != identity.device and not identity.length):
        return False
    return same_content(fd, checkpoint)
