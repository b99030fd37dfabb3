# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disk images for tests: file systems made from directories, and partition tables around them, good and bad."""
import struct
import subprocess
import uuid
import zlib

SECTOR = 512
ROOT = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709'
LINUX = '0fc63daf-8483-4772-8e79-3d69d8477de4'
HOME = '933ac7e1-2eb4-4f13-b844-0e14e2aef915'
SRV = '3b8f8425-20e0-4f3b-907f-1a25a76f98e8'
ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b'
USR = '8484680c-9521-48c6-9c11-b0720656f69e'
NO_AUTO = 1 << 63

MAKERS = {
    'ext4': ['mke2fs', '-q', '-t', 'ext4', '-d', '{tree}', '{file}'],
    'squashfs': ['mksquashfs', '{tree}', '{file}', '-noappend', '-quiet', '-no-progress'],
    'erofs': ['mkfs.erofs', '--quiet', '{file}', '{tree}'],
}


def file_system(path, kind, tree=None, size=0):
    with open(path, 'wb') as f:
        f.truncate(size)
    words = [w.format(tree=tree, file=path) for w in MAKERS[kind]]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return path


def sectors(path):
    return (path.stat().st_size + SECTOR - 1) // SECTOR


def fill(f, at, path):
    f.seek(at * SECTOR)
    with open(path, 'rb') as source:
        while block := source.read(1 << 20):
            f.seek(len(block), 1) if not any(block) else f.write(block)


def mbr_entry(flags, kind, start, count):
    return struct.pack('<B3sB3sII', flags, b'\0\2\0', kind, b'\xff\xff\xff', start, count)


def mbr(path, parts):
    """PARTS: (flags, type, file) each."""
    at, entries, places = 2048, b'', []
    for flags, kind, file in parts:
        entries += mbr_entry(flags, kind, at, sectors(file))
        places.append((at, file))
        at += sectors(file)
    with open(path, 'wb') as f:
        f.truncate(at * SECTOR)
        f.write(bytes(446) + entries.ljust(64, b'\0') + b'\x55\xaa')
        for start, file in places:
            fill(f, start, file)
    return path


def gpt_header(table, entries, mine, other, last):
    h = struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, 0, 0, mine, other, 34, last, uuid.uuid4().bytes_le, table,
                    128, 128, zlib.crc32(entries))
    return (h[:16] + struct.pack('<I', zlib.crc32(h)) + h[20:]).ljust(SECTOR, b'\0')


def gpt(path, parts, change=None):
    """PARTS: (type, file, name, flags) each. CHANGE gets the list of (first, last) sectors to spoil it."""
    at, places = 2048, []
    for _, file, *_ in parts:
        places.append((at, at + sectors(file) - 1))
        at += sectors(file)
    said = change(list(places)) if change else places
    entries = b''.join(uuid.UUID(kind).bytes_le + uuid.uuid4().bytes_le + struct.pack('<QQQ', *where, flags)
                       + name.encode('utf-16-le').ljust(72, b'\0')
                       for (kind, _, name, flags), where in zip(parts, said)).ljust(128 * 128, b'\0')
    end = at + 32
    with open(path, 'wb') as f:
        f.truncate((end + 1) * SECTOR)
        f.write(bytes(446) + mbr_entry(0, 0xee, 1, end).ljust(64, b'\0') + b'\x55\xaa')
        f.write(gpt_header(2, entries, 1, end, at - 1) + entries)
        for (start, _), (_, file, *_) in zip(places, parts):
            fill(f, start, file)
        f.seek(at * SECTOR)
        f.write(entries + gpt_header(at, entries, end, 1, at - 1))
    return path
