# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files between host and container: spawnctl copy-to, copy-from, bind."""
import os
import pathlib
import signal
import socket
import stat

from test_enter import Machine
from test_sessions import setUpModule, tearDownModule  # noqa: F401


class Transfer(Machine):
    def setUp(self):
        super().setUp()
        self.detach('sleep', '1000')
        self.here = pathlib.Path(self.scratch())

    def scratch(self):
        path = pathlib.Path(self.root).parent / 'host-side'
        path.mkdir()
        return path

    def ok(self, *words, **kw):
        p = self.ctl(*words, **kw)
        self.assertEqual((p.returncode, p.stdout, p.stderr), (0, b'', b''))

    def no(self, text, *words, **kw):
        p = self.ctl(*words, **kw)
        self.assertEqual((p.returncode, p.stdout), (125, b''), p.stderr)
        self.assertIn(text, p.stderr.decode())

    def shell(self, text):
        p = self.ctl('exec', 'm1', '--', 'sh', '-c', text)
        self.assertEqual((p.returncode, p.stderr), (0, b''))
        return p.stdout.decode()

    def tree(self):
        d = self.here / 'tree'
        (d / 'deep/er').mkdir(parents=True)
        (d / 'deep/er/file').write_bytes(os.urandom(300_000))
        (d / 'empty').touch()
        os.symlink('deep/er/file', d / 'link')
        os.symlink('/nowhere/at/all', d / 'dangling')
        os.mkfifo(d / 'fifo')
        os.chmod(d / 'fifo', 0o620)
        os.chown(d / 'empty', 12, 34)
        os.chmod(d / 'empty', 0o4751)
        os.chmod(d / 'deep', 0o1707)
        os.setxattr(d / 'empty', b'user.word', b'value')
        os.utime(d / 'deep/er', ns=(1_000_000_007, 2_000_000_009))
        return d

    def look(self, top, strips=False):
        """What a tree is, to be compared."""
        found = {}
        for path in sorted([top, *top.rglob('*')]):
            s = path.lstat()
            kind = stat.S_IFMT(s.st_mode)
            content = os.readlink(path) if kind == stat.S_IFLNK else path.read_bytes() if kind == stat.S_IFREG else None
            names = [] if kind in (stat.S_IFLNK, stat.S_IFIFO) else [(n, os.getxattr(path, n)) for n in os.listxattr(path)]
            found[str(path.relative_to(top))] = (s.st_mode & (~0o6000 if strips else ~0), s.st_uid, s.st_gid, s.st_mtime_ns, content, names)
        return found

    def test_a_tree_goes_in_and_out(self):
        d = self.tree()
        self.ok('copy-to', 'm1', d, '/copied')
        self.assertEqual(self.look(pathlib.Path(self.root) / 'copied'), self.look(d))
        self.ok('copy-from', 'm1', '/copied', self.here / 'back')
        self.assertEqual(self.look(self.here / 'back'), self.look(d, strips=True))
        self.assertEqual(os.stat(self.here / 'back/empty').st_mode & 0o7777, 0o751)

    def test_names(self):
        (self.here / 'a').write_text('first')
        self.ok('copy-to', 'm1', 'a', '/tmp', cwd=self.here)  # into a directory
        self.ok('copy-to', 'm1', 'a', '/tmp/b', cwd=self.here)
        self.assertEqual(self.shell('cat /tmp/a /tmp/b'), 'firstfirst')
        self.ok('copy-from', 'm1', 'tmp/b', '.', cwd=self.here)
        self.assertEqual((self.here / 'b').read_text(), 'first')
        self.ok('copy-to', '--mkdir', 'm1', self.here / 'a')  # the same path there
        self.assertEqual((pathlib.Path(self.root) / str(self.here / 'a')[1:]).read_text(), 'first')
        (self.here / 'd').mkdir()
        self.ok('copy-to', 'm1', '.', '/tmp', cwd=self.here / 'd')
        self.assertEqual(self.shell('ls -d /tmp/d'), '/tmp/d\n')

    def test_what_is_there_is_kept(self):
        (self.here / 'a').write_text('new')
        self.shell('echo old >/tmp/a; mkdir /tmp/d')
        self.no('a is there already', 'copy-to', 'm1', self.here / 'a', '/tmp/a')
        self.assertEqual(self.shell('cat /tmp/a; ls -A /tmp'), 'old\na\nd\n')
        self.ok('copy-to', 'm1', self.here / 'a', '/tmp/a', '--force')
        self.assertEqual(self.shell('cat /tmp/a; ls -A /tmp'), 'newa\nd\n')
        (self.here / 'd').mkdir()
        self.shell('mkdir /tmp/e /tmp/e/d')
        self.no('d is there already', 'copy-to', '--force', 'm1', self.here / 'd', '/tmp/e')

    def test_bad_words(self):
        for words in ('copy-to', 'm1', '/etc/passwd', '/a', '/b'), ('bind', 'm1', '/a', '/b', '/c'):
            self.no('one word too many', *words)
        self.no('needs a path', 'copy-from', 'm1')
        self.no('there is no machine m2', 'copy-from', 'm2', '/a')
        self.no("the container's /missing/file: No such file", 'copy-from', 'm1', '/missing/file', self.here)
        self.no('cannot copy missing: No such file', 'copy-from', 'm1', '/missing', self.here)
        self.no('--mkdir', 'copy-to', 'm1', '/etc/passwd', '/missing/dir/file')
        self.no('root directory cannot be copied', 'copy-from', 'm1', '/', self.here)
        self.no('--force is not for bind', 'bind', '--force', 'm1', self.here)
        self.assertEqual(list(self.here.iterdir()), [])

    def test_links_of_the_container_lead_nowhere_else(self):
        secret = self.here / 'secret'
        secret.write_text('of the host')
        self.shell(f'ln -s {self.here} /tmp/out; ln -s {secret} /tmp/file; ln -s ../../../../../../../../../../.. /tmp/up')
        self.no('No such file', 'copy-from', 'm1', '/tmp/out/secret', self.here / 'got')
        self.no('No such file', 'copy-to', 'm1', '/etc/hostname', '/tmp/out/x')
        self.ok('copy-from', 'm1', '/tmp/file', self.here / 'got')  # as a link
        self.assertEqual(os.readlink(self.here / 'got'), str(secret))
        self.no('No such file', 'copy-from', 'm1', f'/tmp/up{secret}', self.here / 'got2')
        self.assertEqual(sorted(p.name for p in self.here.iterdir()), ['got', 'secret'])

    def test_a_directory_into_itself(self):
        self.no('cannot be copied into itself', 'copy-to', 'm1', pathlib.Path(self.root) / 'tmp', '/tmp/again')
        self.assertEqual(self.shell('ls -A /tmp'), '')

    def test_devices_and_sockets(self):
        self.shell('mkdir /tmp/d; mknod /tmp/d/null c 1 3; echo x >/tmp/d/x')
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.bind(str(pathlib.Path(self.root) / 'tmp/d/socket'))
        p = self.ctl('copy-from', 'm1', '/tmp/d', self.here)
        self.assertEqual(p.returncode, 0)
        self.assertEqual(sorted(p.stderr.decode().splitlines()), ['spawnctl: d/null is a device: not copied', 'spawnctl: d/socket is a socket: not copied'])
        self.assertEqual([x.name for x in (self.here / 'd').iterdir()], ['x'])
        self.no('is a device', 'copy-from', 'm1', '/dev/null', self.here)

    def test_holes_and_files_without_a_size(self):
        with open(self.here / 'sparse', 'wb') as f:
            f.seek(200_000_000)
            f.write(b'end')
            f.truncate(300_000_000)
        self.ok('copy-to', 'm1', self.here / 'sparse', '/sparse')
        copied = pathlib.Path(self.root) / 'sparse'
        self.assertEqual(copied.stat().st_size, 300_000_000)
        self.assertLess(copied.stat().st_blocks * 512, 1_000_000)
        with open(copied, 'rb') as f:
            f.seek(200_000_000)
            self.assertEqual(f.read(3), b'end')
        self.ok('copy-from', 'm1', '/proc/1/cmdline', self.here / 'cmdline')
        self.assertEqual((self.here / 'cmdline').read_bytes(), b'sleep\x001000\x00')

    def test_a_signal_ends_it(self):
        def interrupt():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            os.kill(os.getpid(), signal.SIGINT)
        self.no('Interrupted system call', 'copy-from', 'm1', '/bin', self.here, preexec_fn=interrupt)
        self.assertEqual(list(self.here.iterdir()), [])

    def test_what_fails_half_way_is_removed(self):
        self.shell('cd /tmp; touch a; for i in $(seq 140); do mkdir d; cd d; touch f; done')
        self.no('deeper than 128 directories', 'copy-from', 'm1', '/tmp', self.here / 'got')
        self.assertEqual(list(self.here.iterdir()), [])

    # ---- bind ----

    def test_bind(self):
        (self.here / 'file').write_text('inhalt')
        self.shell('mkdir /tmp/point; touch /tmp/other')
        self.ok('bind', 'm1', self.here, '/tmp/point')
        self.assertEqual(self.shell('cat /tmp/point/file; echo more >/tmp/point/new'), 'inhalt')
        self.assertEqual((self.here / 'new').read_text(), 'more\n')
        self.ok('bind', '--read-only', 'm1', self.here / 'file', '/tmp/other')
        self.assertEqual(self.shell('cat /tmp/other; echo x 2>/dev/null >/tmp/other || echo refused'), 'inhaltrefused\n')
        self.ok('bind', '--mkdir', 'm1', self.here)  # at the same path
        self.assertEqual(self.shell(f'cat {self.here}/file'), 'inhalt')
        self.ok('bind', '--mkdir', 'm1', 'file', '/tmp/a/b/c', cwd=self.here)
        self.assertEqual(self.shell('cat /tmp/a/b/c'), 'inhalt')
        self.assertNotIn('/tmp/point', pathlib.Path('/proc/self/mountinfo').read_text())

    def test_bind_refuses(self):
        self.no("the container's /missing: No such file", 'bind', 'm1', self.here, '/missing')
        self.no("the host's", 'bind', 'm1', self.here / 'missing', '/tmp')
        self.no('is a directory', 'bind', 'm1', '/etc/passwd', '/tmp')
        self.shell(f'ln -s {self.here} /tmp/out')
        self.no('No such file', 'bind', 'm1', '/etc', '/tmp/out')
        self.assertEqual(self.shell('grep -c " /tmp" /proc/self/mountinfo || true').strip(), '0')


del Machine
