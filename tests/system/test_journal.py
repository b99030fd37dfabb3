# SPDX-License-Identifier: LGPL-2.1-or-later
"""--link-journal: where the journal of the container is, and what is made on the host for it."""
import os
import pathlib

from harness import SPAWN, TestCase

ID = '5c0a4e1d9b6f4c3a8d2e7f1a0b9c8d7e'
HOST = pathlib.Path('/var/log/journal')


class Journal(TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.copy('busybox')
        (self.root / 'etc/machine-id').write_text(ID + '\n')
        self.made = [d for d in (HOST.parent, HOST) if not d.exists()]
        self.addCleanup(self.clean)

    def clean(self):
        place = HOST / ID
        if place.is_symlink():
            place.unlink()
        elif place.is_dir():
            for file in place.iterdir():
                file.unlink()
            place.rmdir()
        for d in reversed(self.made):
            if d.exists():
                d.rmdir()

    def run_in(self, mode, script='echo inside >/var/log/journal/%s/file' % ID):
        p = self.spawn('-q', '-D', self.root, *([mode] if mode else []), 'sh', '-c', script)
        self.assertEqual((p.returncode, p.stderr), (0, b''), mode)
        return p.stdout

    def keep_journal(self):
        HOST.mkdir(parents=True, exist_ok=True)

    def test_a_host_without_journal(self):
        # Whatever this machine has: a view in which /var/log is empty.
        hide = ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /var/log && exec "$0" "$@"', SPAWN, '-q', '-D', self.root]
        for mode in 'host', 'guest':
            self.refused(*hide, f'--link-journal={mode}', 'true', program='unshare', says='the host keeps no journal in /var/log/journal')
        for mode in [], ['-j'], ['--link-journal=auto'], ['--link-journal=try-host'], ['--link-journal=try-guest'], ['--link-journal=no']:
            p = self.spawn(*hide, *mode, 'test', '!', '-e', '/var/log/journal', program='unshare')
            self.assertEqual((p.returncode, p.stderr), (0, b''), mode)

    def test_host(self):
        self.keep_journal()
        for mode in '--link-journal=host', '--link-journal=try-host', None, '--link-journal=yes':
            self.run_in(mode)
            self.assertEqual((HOST / ID / 'file').read_text(), 'inside\n')
            (HOST / ID / 'file').unlink()
            # The root has the mount point and no more.
            self.assertEqual(os.listdir(self.root / 'var/log/journal' / ID), [])

    def test_guest(self):
        self.keep_journal()
        (HOST / ID).mkdir()  # an empty one makes place
        for mode in '--link-journal=guest', '-j':
            self.run_in(mode)
            self.assertEqual(os.readlink(HOST / ID), str(self.root / 'var/log/journal' / ID))
            self.assertEqual((HOST / ID / 'file').read_text(), 'inside\n')
        # A link is not followed by what would show the host's directory.
        self.run_in('--link-journal=auto', 'test -e /var/log/journal/%s/file' % ID)

    def test_what_is_in_the_way_stays(self):
        self.keep_journal()
        (HOST / ID).mkdir()
        (HOST / ID / 'file').write_text('old')
        self.refused('-D', self.root, '--link-journal=guest', 'true', says='cannot make the journal.s link .*: Directory not empty')
        self.run_in('--link-journal=try-guest', 'true')
        self.assertEqual((HOST / ID / 'file').read_text(), 'old')

    def test_the_host_s_own_id(self):
        try:
            own = pathlib.Path('/etc/machine-id').read_text()
        except OSError:
            own = ''
        if len(own.strip()) != 32:
            self.skipTest('this host has no machine id')
        self.keep_journal()
        (self.root / 'etc/machine-id').write_text(own)
        self.refused('-D', self.root, '--link-journal=host', 'true', says="host's own machine id")
        self.run_in('--link-journal=try-host', 'test ! -e /var/log/journal')

    def test_malformed(self):
        self.refused('-D', self.root, '--link-journal=maybe', 'true', says='--link-journal=maybe: no such choice')
