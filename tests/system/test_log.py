# SPDX-License-Identifier: LGPL-2.1-or-later
"""spawnctl log: what --console-log has written, also while it is written and rotated."""
import os
import pathlib
import signal

from test_enter import Machine
from test_sessions import CTL, setUpModule, tearDownModule  # noqa: F401


class Log(Machine):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.root).parent / 'console'

    def logged(self, script, options='', **kw):
        self.detach('sh', '-c', script, options=(f'--console-log={self.file}{options}',), **kw)

    def log(self, *words):
        p = self.ctl('log', 'm1', *words)
        self.assertEqual((p.returncode, p.stderr), (0, b''))
        return [l.split(' ', 1)[1] for l in p.stdout.decode().splitlines()]

    def test_what_was_shown(self):
        self.logged('echo one; echo two; read x')
        t = self.attach('m1')
        t.expect(b'two')
        self.assertEqual(self.log(), ['one', 'two'])
        self.assertEqual(self.log('--since=1h'), ['one', 'two'])
        self.assertEqual(self.log('--since', '2999-01-01'), [])
        self.assertEqual(self.log('--since=2020-01-01T10:00'), ['one', 'two'])

    def test_followed_to_the_last_word(self):
        self.logged('while read x; do echo "<$x>"; [ "$x" = end ] && printf last && exit 3; done')
        p = self.start('log', '-f', 'm1', program=CTL)
        t = self.attach('m1')
        for word in b'one', b'two', b'end':
            t.send(word + b'\r')
            line = b''
            while b'<' + word + b'>' not in line:
                line = p.stdout.readline()
                self.assertTrue(line)
        self.assertEqual(t.wait(), 3)
        self.assertEqual((p.stdout.read().split(b' ', 1)[1], p.wait(10)), (b'last\n', 0))

    def test_rotated_files(self):
        self.logged('read x; i=0; while [ $i -lt 500 ]; do echo "this is line $i"; i=$((i+1)); done; echo over; read x', ',size=4K,rotate=9')
        p = self.start('log', '-f', 'm1', program=CTL)
        t = self.attach('m1')
        t.send(b'\r')
        t.expect(b'over')
        wanted = [f'this is line {i}' for i in range(500)] + ['over']
        self.assertEqual([l for l in self.log() if l], wanted)
        self.assertEqual([l for l in self.log('--since=1h') if l], wanted)
        self.assertTrue(self.file.with_name('console.3').exists())
        followed = []
        while 'over' not in followed:
            line = p.stdout.readline()
            self.assertTrue(line)
            followed.append(line.decode().split(' ', 1)[1].rstrip('\n'))
        self.assertEqual(followed[-1], 'over')
        self.assertEqual([l for l in followed if l], wanted)
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(10), -signal.SIGINT)

    def test_emptied_instead_of_rotated(self):
        self.logged('read x; i=0; while [ $i -lt 500 ]; do echo "this is line $i"; i=$((i+1)); done; read x; echo over', ',size=4K,rotate=0')
        p = self.start('log', '-f', 'm1', program=CTL)
        t = self.attach('m1')
        t.send(b'\r')
        t.expect(b'line 499')
        t.send(b'\r')
        self.assertEqual(t.wait(), 0)
        text, _ = p.communicate(timeout=10)
        self.assertIn(b'over\n', text)
        self.assertLess(self.file.stat().st_size, 4097)

    def test_a_file_that_has_gone(self):
        self.logged('sleep 1000')
        self.file.unlink()
        p = self.ctl('log', 'm1')
        self.assertEqual((p.returncode, p.stdout), (125, b''))
        self.assertIn(b'console: No such file', p.stderr)

    def test_a_relative_name(self):
        self.file = 'console'
        where = pathlib.Path(self.root).parent
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(where)
        self.logged('echo one; read x')
        os.chdir(here)
        t = self.attach('m1')
        t.expect(b'one')
        self.assertEqual(self.log(), ['one'])

    def test_refused(self):
        self.detach('sleep', '1000')
        for words, text in ((('m1',), 'the console of m1 has no log'), (('m2',), 'there is no machine m2'), (('m1', '--since'), 'needs an argument')):
            p = self.ctl('log', *words)
            self.assertEqual((p.returncode, p.stdout), (125, b''))
            self.assertIn(text, p.stderr.decode())

    def test_a_link_in_its_place(self):
        self.logged('sleep 1000')
        self.file.unlink()
        os.symlink('/etc/passwd', self.file)
        p = self.ctl('log', 'm1')
        self.assertEqual((p.returncode, p.stdout), (125, b''))
        self.assertIn(b'cannot read', p.stderr)
        p = self.ctl('log', 'm1', '--since=never')
        self.assertIn(b'--since=never: neither', p.stderr)


del Machine
