# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roots that want to be a host's undoing: spawn works, or says why in a line; the host is as it was."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'system'))
from harness import SPAWN, TestCase, changed, manifest  # noqa: E402

PATHS = ['dev', 'run', 'proc', 'sys', 'tmp', 'etc', 'etc/resolv.conf', 'etc/localtime', 'etc/machine-id', 'etc/passwd',
         'etc/os-release', 'sbin/init', 'etc/group', 'sbin', 'root', 'dev/pts', 'dev/console', 'dev/null', 'run/host']


class Hostile(TestCase):
    def setUp(self):
        super().setUp()
        self.sentinel = pathlib.Path(tempfile.mkdtemp(prefix='sentinel-', dir='/var/tmp'))
        self.addCleanup(shutil.rmtree, self.sentinel)
        for name in 'pts', 'host', 'etc':
            (self.sentinel / name).mkdir()
        (self.sentinel / 'file').write_text('precious')
        self.before = manifest(self.sentinel)

    def shapes(self, path):
        depth = '../' * 30
        yield 'absolute', lambda p: p.symlink_to(self.sentinel)
        yield 'relative', lambda p: p.symlink_to(depth + str(self.sentinel)[1:])
        yield 'file of the host', lambda p: p.symlink_to(self.sentinel / 'file')
        yield 'dangling', lambda p: p.symlink_to('/no/such/thing')
        yield 'loop', lambda p: p.symlink_to(p.name)
        yield 'magic', lambda p: p.symlink_to('/proc/self/cwd')
        yield 'fifo', lambda p: os.mkfifo(p)
        yield 'chain', self.chain
        yield 'socket', lambda p: os.mknod(p, 0o140755)
        yield 'device', lambda p: os.mknod(p, 0o020666, os.makedev(1, 3))
        yield 'file', lambda p: p.write_text('x')

    def chain(self, path):
        """Forty links, as many as the kernel follows (path_resolution(7)), and then out."""
        names = [path, *(path.parent / f'chain-{i}' for i in range(39))]
        for link, target in zip(names, names[1:]):
            link.symlink_to(target.name)
        names[-1].symlink_to(self.sentinel)

    def attempt(self, root, *words):
        began = time.monotonic()
        p = self.spawn('-q', '-D', root, *words, timeout=10)
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(changed(self.before, manifest(self.sentinel)), set())
        if p.returncode != 0:
            self.assertIn(p.returncode, (125, 126, 127), p.stderr)
            self.assertTrue(all(l.startswith(b'spawn: ') for l in p.stderr.splitlines()), p.stderr)
            self.assertLessEqual(len(p.stderr.splitlines()), 3)
        return p

    def test_every_path_in_every_shape(self):
        for path in PATHS:
            for shape, make in self.shapes(path):
                root = self.copy('busybox')
                target = root / path
                if target.is_symlink() or target.is_file():
                    target.unlink()
                elif target.is_dir():
                    shutil.rmtree(target)
                target.parent.mkdir(exist_ok=True)
                make(target)
                with self.subTest(path=path, shape=shape):
                    p = self.attempt(root, '--resolv-conf=copy-host', '--timezone=copy', 'sh', '-c', 'exit 0')
                    if path in ('dev', 'run', 'proc', 'sys'):
                        self.assertEqual(p.returncode, 125)
                        self.assertIn(path.encode(), p.stderr)
                    self.attempt(root, '--resolv-conf=replace-host', '--timezone=symlink', '-u', 'alice', 'true')
                shutil.rmtree(root.parent)
                root.parent.mkdir()  # for the clean-up

    def test_tmp_of_a_boot(self):
        root = self.copy('busybox')
        os.rmdir(root / 'tmp')
        (root / 'tmp').symlink_to(self.sentinel)
        p = self.attempt(root, '-b')
        self.assertEqual(p.returncode, 125)
        self.assertIn(b'/tmp', p.stderr)

    def test_bind_targets_below_links_land_inside(self):
        root = self.copy('busybox')
        (root / 'a').symlink_to(self.sentinel)
        (root / 'b').symlink_to('../../../../../' + str(self.sentinel)[1:])
        (root / 'c').symlink_to('/usr')
        for name in 'a', 'b':
            self.attempt(root, f'--bind=/etc:/{name}/deep/er', 'true')
            self.attempt(root, f'--tmpfs=/{name}/t', 'true')
        p = self.attempt(root, '--bind=/etc/hostname:/c/h', 'cat', '/usr/h')
        self.assertEqual(p.stdout, pathlib.Path('/etc/hostname').read_bytes())

    def test_a_root_that_changes_under_our_hands(self):
        """renameat2(RENAME_EXCHANGE) between a directory and a link to the host, all the time."""
        root = self.copy('busybox')
        (root / 'x').mkdir()
        (root / 'y').symlink_to(self.sentinel)
        flip = subprocess.Popen([sys.executable, '-c', '''
import ctypes, sys
libc = ctypes.CDLL(None)
a, b = (p.encode() for p in sys.argv[1:])
while True:
    libc.renameat2(-100, a, -100, b, 2)
''', str(root / 'x'), str(root / 'y')])
        try:
            for _ in range(60):
                p = self.spawn('-q', '-D', root, '--bind=/etc:/x/target', 'true')
                self.assertIn(p.returncode, (0, 125), p.stderr)
                self.assertEqual(changed(self.before, manifest(self.sentinel)), set())
        finally:
            flip.kill()
            flip.wait()

    def test_huge_and_strange_files(self):
        root = self.copy('busybox')
        os.truncate(root / 'etc/passwd', 1 << 40)
        (root / 'etc/machine-id').write_bytes(b'\x1b]52;c;x\x07' * 100000)
        p = self.attempt(root, '-u', 'alice', 'true')
        self.assertEqual(p.returncode, 125)
        self.assertNotIn(b'\x1b', p.stderr)

    def test_the_launcher_is_not_reachable(self):
        before = pathlib.Path(SPAWN).read_bytes()
        root = self.copy('busybox')
        (root / 'x').write_text('#!/proc/self/exe\n')
        (root / 'x').chmod(0o755)
        (root / 'y').symlink_to('/proc/self/exe')
        for program in '/x', '/y':
            self.assertEqual(self.attempt(root, program).returncode, 126)
        # PID 1 of --as-pid2 is this very program: it cannot be opened for writing.
        self.attempt(root, '-a', 'sh', '-c', 'echo evil >/proc/1/exe; exit 0')
        self.assertEqual(pathlib.Path(SPAWN).read_bytes(), before)

    def test_a_terminal_of_the_callers_cannot_be_typed_into(self):
        master, slave = os.openpty()
        root = self.copy('debian-12')
        if not (root / 'usr/bin/perl').exists():
            self.skipTest('the root has no perl')
        p = subprocess.run([SPAWN, '-q', '-P', '-D', str(root), 'perl', '-e', 'my $c = "x"; ioctl(STDIN, 0x5412, $c) or exit $!+0; exit 0'],
                           stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.close(master)
        os.close(slave)
        self.assertEqual(p.returncode, 1, p.stderr)

    def disk(self):
        """A disk of the host's with something precious on it."""
        image = self.sentinel.parent / (self.sentinel.name + '.img')
        image.write_bytes(b'precious'.ljust(1 << 20, b'\0'))
        self.addCleanup(image.unlink)
        node = subprocess.run(['losetup', '-f', '--show', image], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.addCleanup(subprocess.run, ['losetup', '-d', node], check=True)
        return node, os.stat(node).st_rdev

    def test_the_hosts_disks_are_out_of_reach(self):
        """Root inside has CAP_MKNOD and CAP_SYS_ADMIN: it can make nodes, has them in its image, and mounts devtmpfs."""
        node, number = self.disk()
        root = self.copy('busybox')
        os.mknod(root / 'disk', 0o060666, number)
        script = (f'mknod /mine b {os.major(number)} {os.minor(number)}; cat /mine; mkdir -p /d; mount -t devtmpfs d /d; '
                  f'cat /disk /d/{os.path.basename(node)}; echo x >/disk; mount -o remount,dev,bind /; cat /disk; '
                  'cat /dev/zero | head -c 3 | wc -c')
        for words in ('-D',), ('-a', '-D'), ('--private-network', '-D'):
            p = self.spawn('-q', *words, root, 'sh', '-c', script)
            self.assertEqual(p.stdout.split(), [b'3'], p.stderr)
            self.assertEqual(p.stderr.count(b'ermitted'), 5, p.stderr)
        self.assertEqual(pathlib.Path(node).open('rb').read(8), b'precious')

    def test_a_boot_cannot_reach_them_either(self):
        node, number = self.disk()
        root = self.copy('busybox')
        os.mknod(root / 'disk', 0o060666, number)
        (root / 'sbin/init').unlink()
        (root / 'sbin/init').write_text('#!/bin/sh\ncat /disk && exit 3\nexit 7\n')
        (root / 'sbin/init').chmod(0o755)
        self.assertEqual(self.spawn('-q', '-b', '-D', root).returncode, 7)

    def test_devices_that_the_caller_names(self):
        node, number = self.disk()
        root = self.copy('busybox')
        for words, write in ((f'--bind={node}:/disk',), True), ((f'--bind-ro={node}:/disk',), False):
            p = self.spawn('-q', '-D', root, *words, 'sh', '-c', 'head -c 8 /disk; echo PRECIOUS >/disk')
            self.assertEqual(p.stdout, b'precious')
            self.assertEqual(p.returncode == 0, write, p.stderr)
            with open(node, 'r+b') as f:
                f.write(b'precious')
        (root / 'disk').unlink()
        os.mknod(root / 'disk', 0o060666, number)
        for allow, status in (f'{node} r', 0), ('block-loop r', 0), ('block-* rw', 0), ('char-* rw', 1), (f'{node} w', 1):
            p = self.spawn('-q', '-D', root, f'--property=DeviceAllow={allow}', 'cat', '/disk')
            self.assertEqual(p.returncode, status, (allow, p.stderr))
        self.assertEqual(self.spawn('-q', '-D', root, '--property=DevicePolicy=auto', 'cat', '/disk').returncode, 0)
        self.assertNotEqual(self.spawn('-q', '-D', root, '--property=DevicePolicy=strict', 'cat', '/dev/zero').returncode, 0)
        plan = self.spawn('-q', '-D', root, f'--bind={node}', '--explain=json', 'true').stdout
        devices = {d['device']: d for d in json.loads(plan)['devices']}
        self.assertEqual((devices[node]['access'], devices[node]['origin']), ('rw', '--bind'))
        self.refused('-D', root, '--property=DevicePolicy=open', 'true', says='DevicePolicy=open')
        self.refused('-D', root, '--property=DeviceAllow=/dev/null x', 'true', says='DeviceAllow=/dev/null x')
