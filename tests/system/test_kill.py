# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL of spawn at many instants: nothing is left, and the next start works at once."""
import signal
import subprocess
import time

from harness import ROOTS, TestCase

BB = ROOTS / 'busybox'


class Kill(TestCase):
    def kill_after(self, seconds, *words):
        p = subprocess.Popen([*map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        p.kill()
        p.wait()

    def test_a_command(self):
        from harness import SPAWN
        for i in range(60):
            self.kill_after(i / 4000, SPAWN, '-q', '-D', BB, 'sleep', '100')
            if i % 10 == 9:
                self.compare_host()
        self.assertEqual(self.spawn('-q', '-D', BB, 'true').returncode, 0)

    def test_a_boot(self):
        from harness import SPAWN
        root = self.copy('busybox')
        for i in range(20):
            self.kill_after(i / 1000, SPAWN, '-q', '-D', root, '-b')
            self.compare_host()
        self.assertEqual(self.spawn('-q', '-D', root, 'true').returncode, 0)

    def test_a_systemd(self):
        from harness import SPAWN
        root = self.copy('debian-12')
        for seconds in 0.05, 0.3, 1.5:
            self.kill_after(seconds, SPAWN, '-q', '-D', root, '-b')
            time.sleep(0.3)
            self.compare_host()

    def test_a_payload_that_has_cleared_its_parent_death_signal(self):
        from harness import SPAWN
        self.kill_after(0.4, SPAWN, '-q', '-D', ROOTS / 'debian-12', 'setpriv', '--reuid', '65534', 'sleep', '1000')
        self.compare_host()
        self.kill_after(0.4, SPAWN, '-q', '-D', ROOTS / 'debian-12', '-u', 'nobody', 'sleep', '1000')
        self.compare_host()
