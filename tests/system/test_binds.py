# SPDX-License-Identifier: LGPL-2.1-or-later
"""Binds that show other owners than the host has (idmapped mounts)."""

import json
import os
import pathlib
import subprocess
import tempfile

from harness import FAULT, ROOTS, TestCase, changed, manifest

UID, GID = 1234, 567


def owners(path):
    return {p.name: (p.lstat().st_uid, p.lstat().st_gid) for p in (path, *path.iterdir())}


class IdMaps(TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.copy('busybox')
        self.source = pathlib.Path(tempfile.mkdtemp(prefix='test-binds-', dir='/var/tmp'))
        self.addCleanup(subprocess.run, ['rm', '-rf', str(self.source)], check=True)
        for name, uid, gid in ('theirs', UID, GID), ('roots', 0, 0):
            (self.source / name).write_text(name)
            os.chown(self.source / name, uid, gid)
        (self.source / 'below').mkdir()
        os.chown(self.source / 'below', UID, GID)
        os.chown(self.source, UID, GID)

    def inside(self, options, script, *words, **kw):
        """Runs SCRIPT with the source bound on /mnt/src; returns what it says."""
        p = self.spawn('-q', '-D', self.root, f'--bind={self.source}:/mnt/src{options}', *words, 'sh', '-c', script, **kw)
        self.assertEqual((p.returncode, p.stderr), (0, b''))
        return p.stdout.decode()

    def seen(self, options, *words, **kw):
        """{name: 'uid:gid'} of what is bound, as the container sees it."""
        text = self.inside(options, 'cd /mnt/src; for f in . theirs roots below; do stat -c "%n %u:%g" $f; done', *words, **kw)
        return dict(line.split() for line in text.splitlines())

    def test_the_identity(self):
        as_on_disk = {'.': '1234:567', 'theirs': '1234:567', 'roots': '0:0', 'below': '1234:567'}
        for options in '', ':noidmap', ':idmap', ':rootidmap,noidmap':
            with self.subTest(options):
                self.assertEqual(self.seen(options), as_on_disk)

    def test_root_owns_what_the_owner_owns(self):
        self.assertEqual(self.seen(':rootidmap'), {'.': '0:0', 'theirs': '0:0', 'roots': '65534:65534', 'below': '0:0'})
        before = owners(self.source)
        self.inside(':rootidmap', 'cd /mnt/src && echo x >new && mkdir below/d && echo more >>theirs && ln -s x below/l')
        self.assertEqual(owners(self.source), before | {'new': (UID, GID)})
        self.assertEqual(owners(self.source / 'below'), {'below': (UID, GID), 'd': (UID, GID), 'l': (UID, GID)})
        # Nobody else can own anything there.
        said = self.inside(':rootidmap', 'cd /mnt/src; chown 7 new 2>/dev/null || echo no; chown 0:7 new 2>/dev/null || echo no')
        self.assertEqual(said, 'no\nno\n')
        self.assertEqual(owners(self.source)['new'], (UID, GID))

    def test_another_user_inside_is_nobody_there(self):
        os.chmod(self.source, 0o777)
        (self.root / 'etc/passwd').write_text((self.root / 'etc/passwd').read_text() + 'other:x:1000:1000::/:/bin/sh\n')
        said = self.inside(':rootidmap', 'id -u; touch /mnt/src/new 2>/dev/null || echo no; cat /mnt/src/theirs', '-u', 'other')
        self.assertEqual(said, '1000\nno\ntheirs')
        self.assertNotIn('new', owners(self.source))

    def test_the_owner_of_the_target(self):
        target = self.root / 'mnt/src'
        target.mkdir(parents=True)
        os.chown(target, 42, 43)
        before = manifest(self.root)
        expected = {'.': '42:43', 'theirs': '42:43', 'roots': '65534:65534', 'below': '42:43'}
        self.assertEqual(self.seen(':owneridmap'), expected)
        # The target is what is there when the bind is made: here another mount, which root owns.
        self.assertEqual(self.seen(':owneridmap', '--tmpfs=/mnt')['.'], '0:0')
        self.assertEqual(changed(before, manifest(self.root)), set())

    def test_read_only_and_without_what_is_below(self):
        below = self.source / 'below'
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'uid={UID},gid={GID}', 'tmpfs', str(below)], check=True)
        try:
            self.assertEqual(self.seen(':rootidmap')['below'], '0:0')
            self.assertEqual(self.seen(':rootidmap,norbind')['below'], '0:0')
            p = self.spawn('-q', '-D', self.root, f'--bind-ro={self.source}:/mnt/src:rootidmap', 'touch', '/mnt/src/theirs')
            self.assertIn(b'Read-only', p.stderr)
        finally:
            subprocess.run(['umount', str(below)], check=True)

    def test_sources_in_the_root_and_of_nobody(self):
        (self.root / 'srv').mkdir(exist_ok=True)
        os.chown(self.root / 'srv', UID, GID)
        p = self.spawn('-q', '-D', self.root, '--bind=+/srv:/mnt:rootidmap', '--bind=:/opt:rootidmap', 'stat', '-c', '%u:%g', '/mnt', '/opt', '/srv')
        self.assertEqual((p.stdout, p.stderr), (b'0:0\n0:0\n1234:567\n', b''))

    def test_several_and_a_stub(self):
        """The helpers take no process number from the payload."""
        words = (f'--bind={self.source}:/a:rootidmap', f'--bind={self.source}:/b:rootidmap', f'--bind={self.source}:/c')
        p = self.spawn('-q', '-a', '-D', self.root, *words, 'sh', '-c', 'echo $$; stat -c %u /a /b /c')
        self.assertEqual((p.stdout, p.stderr), (b'2\n0\n0\n1234\n', b''))

    def test_a_file(self):
        (self.root / 'etc/theirs').touch()
        p = self.spawn('-q', '-D', self.root, f'--bind={self.source}/theirs:/etc/theirs:rootidmap', 'sh', '-c', 'stat -c %u /etc/theirs; cat /etc/theirs')
        self.assertEqual(p.stdout, b'0\ntheirs')

    def test_what_cannot_be_mapped_is_refused_by_name(self):
        for source, kind in ('/proc/sys', 'proc'), ('/sys', 'sysfs'):
            for option in 'rootidmap', 'owneridmap':
                text = self.refused('-q', '-D', self.root, f'--bind={source}:/mnt:{option}', 'true')
                self.assertIn(f'--bind: cannot map the owner of {source}: ', text)
                self.assertIn(f'({kind})', text)
        self.refused('-q', '-D', self.root, f'--bind={self.source}:/mnt:rootidmap=1', 'true', says='rootidmap=1')

    def test_without_new_calls(self):
        for calls in 'clone3', 'openat2', 'pidfd_send_signal,close_range':
            with self.subTest(calls):
                env = os.environ | {'SPAWN_TEST_ENOSYS': calls}
                self.assertEqual(self.seen(':rootidmap', program=FAULT, env=env)['.'], '0:0')

    def test_explain_shows_it(self):
        words = ('-D', ROOTS / 'busybox', '--bind=/a:/x', '--bind=/a:/y:rootidmap', '--bind=/a:/z:owneridmap')
        plan = json.loads(self.spawn(*words, '--explain=json', 'true').stdout)
        self.assertEqual([m.get('idmap') for m in plan['mounts'] if m['target'] in ('/x', '/y', '/z')], [None, 'root', 'owner'])
        self.assertIn('idmap=root', self.spawn(*words, '--explain', 'true').stdout.decode())
