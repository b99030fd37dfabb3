# SPDX-License-Identifier: LGPL-2.1-or-later
"""spawnctl top and the figures of spawnctl status."""
import json
import re

from harness import wait_until
from test_enter import Machine
from test_sessions import CTL, setUpModule, tearDownModule  # noqa: F401


class Top(Machine):
    def top(self):
        p = self.ctl('top', '--json')
        self.assertEqual((p.returncode, p.stderr), (0, b''))
        return {m['machine']: m for m in json.loads(p.stdout)}

    def test_who_works_and_who_sleeps(self):
        self.assertEqual(self.top(), {})
        self.detach('sh', '-c', 'dd if=/dev/zero of=/file bs=1M count=64 2>/dev/null; sync; while :; do :; done', name='busy')
        self.detach('sh', '-c', 'sleep 1000 & sleep 1000 & wait', name='lazy', options=('-D', self.copy('busybox')))
        wait_until(lambda: self.top()['busy']['cpu'] > 20, 'one works')
        both = self.top()
        self.assertEqual(sorted(both), ['busy', 'lazy'])
        self.assertLess(both['lazy']['cpu'], 5)
        self.assertEqual((both['busy']['tasks'], both['lazy']['tasks']), (1, 3))
        self.assertGreater(both['lazy']['memory'], 100_000)
        text = self.ctl('status', 'lazy').stdout.decode()
        self.assertRegex(text, r'Tasks: 3\n +Memory: \S+[KM]\n +CPU: 0\.\d+s\n')
        self.assertRegex(self.ctl('top', '--no-legend').stdout.decode(), r'(?m)^busy +1 +\d+\.\d +\S+[KM] +\S+B +\S+\n')

    def test_a_name_of_digits_is_a_name(self):
        self.detach('sleep', '1000', name='12')
        self.assertEqual(list(self.top()), ['12'])
        self.assertEqual([m['machine'] for m in json.loads(self.ctl('list', '--json').stdout)], ['12'])

    def test_on_a_terminal(self):
        self.detach('sleep', '1000')
        t = self.terminal('top', program=CTL)
        for _ in range(2):
            t.expect(rb'\x1b\[H\x1b\[JMACHINE +TASKS.*\r\nm1 +1 ')
        t.send(b'\x03')
        self.assertEqual(t.wait(), -2)

    def test_refused(self):
        p = self.ctl('top', 'm1')
        self.assertEqual(p.returncode, 125)
        self.assertTrue(re.search(rb'one word too many', p.stderr))


del Machine
