# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each init that Debian has: a boot to the login prompt, reboot and power-off from inside, and an orderly stop that is
asked for from outside. A mark on the tree proves that the init's own shutdown scripts have run. systemd, sysvinit and
busybox are in test_boot."""

import os
import re
import signal
import subprocess
import time

from harness import TestCase


class Init(TestCase):
    marks = 0

    def script(self, path, text):
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def boot(self, name, mark, *words):
        """Boots a copy of NAME. MARK adds to it what writes down/mark as the init shuts down."""
        self.directory = self.copy(name)
        (self.directory / 'down').mkdir()
        mark()
        t = self.terminal('-D', self.directory, '-b', *words)
        t.expect(rb'login: $', 60)
        return t

    def log_in(self, t):
        t.send(b'root\r')
        t.expect(rb'assword: ')
        t.send(b'root\r')
        t.expect(rb'# (\x1b\S*)?$')

    def shut_down(self):
        """Has the init shut down in its own way since this was asked last? Read only: what Debian's umountroot does to
        "/" it does to the whole file system, here the overlay."""
        mark = self.directory / 'down/mark'
        before, self.marks = self.marks, len(mark.read_text()) if mark.exists() else 0
        return self.marks == before + 1

    def life(self, name, mark, comm, reboot, poweroff):
        t = self.boot(name, mark)
        self.log_in(t)
        t.send(b'cat /proc/1/comm; stty size; tty\r')
        t.expect(rb'[\r\n]%s\r\n33 101\r\n/dev/(console|pts/0)\r\n' % comm)
        self.assertFalse(self.shut_down())
        if reboot:
            t.send(reboot + b'\r')
            t.expect(rb'login: $', 60)
            self.assertTrue(self.shut_down())
            self.log_in(t)
        t.send(poweroff + b'\r')
        self.assertEqual(t.wait(60), 0)
        self.assertTrue(self.shut_down())
        self.assertEqual(t.modes(), t.before)

    def orderly_stop(self, name, mark, seconds=20):
        t = self.boot(name, mark, '--stop-timeout=60')
        begun = time.monotonic()
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(t.wait(60), 0)
        self.assertLess(time.monotonic() - begun, seconds)
        self.assertTrue(self.shut_down())

    def stopped_while_it_starts(self, name, mark, pattern):
        """What an init would drop while it starts is said again."""
        self.directory = self.copy(name)
        (self.directory / 'down').mkdir()
        mark()
        p = self.start('-D', self.directory, '-b', '--stop-timeout=80', stderr=subprocess.STDOUT)
        out = b''
        while not re.search(pattern, out):
            more = os.read(p.stdout.fileno(), 4096)
            self.assertTrue(more, out)
            out += more
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(80), 0, p.stdout.read())
        self.assertNotIn(b'killed', p.stdout.read())
        self.assertTrue(self.shut_down())


class Runit(Init):
    def mark(self):
        self.script('etc/runit/rc.shutdown', '#!/bin/sh\nprintf x >>/down/mark\n')

    def test_life(self):
        self.life('debian-runit', self.mark, b'runit', b'reboot', b'poweroff')

    def test_orderly_stop(self):
        self.orderly_stop('debian-runit', self.mark)

    def test_stopped_while_it_starts(self):
        self.stopped_while_it_starts('debian-runit', self.mark, rb'enter stage: /etc/runit/1')

    def test_the_stop_file_is_the_containers_own(self):
        """A payload that puts a link in the place of its stop file is not helped to change what the link leads to."""
        t = self.boot('debian-runit', self.mark)
        victim = self.directory / 'victim'
        victim.touch(0o600)
        self.log_in(t)
        t.send(b'ln -sf /victim /run/runit.stopit; echo "linked=$?"\r')
        t.expect(rb'[\r\n]linked=0\r\n')
        os.kill(t.pid, signal.SIGTERM)
        time.sleep(1.2)
        self.assertEqual(victim.stat().st_mode & 0o7777, 0o600)
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(t.wait(10), 137)
        self.assertFalse(self.shut_down())


class OpenRC(Init):
    """With sysvinit as PID 1."""

    def mark(self):
        self.script('etc/init.d/mark', '#!/sbin/openrc-run\nstart() { :; }\nstop() { printf x >>/down/mark; }\n')
        (self.directory / 'etc/runlevels/default/mark').symlink_to('/etc/init.d/mark')

    def test_life(self):
        self.life('debian-openrc', self.mark, b'init', b'reboot', b'poweroff')

    def test_orderly_stop(self):
        self.orderly_stop('debian-openrc', self.mark)


class OpenRCInit(OpenRC):
    """With its own PID 1."""

    def test_life(self):
        self.life('debian-openrc-init', self.mark, b'(openrc-)?init', b'openrc-shutdown --reboot now', b'openrc-shutdown --poweroff now')

    def test_orderly_stop(self):
        self.orderly_stop('debian-openrc-init', self.mark)


class Finit(Init):
    """In a container it exits with 0 at the end instead of calling reboot(2), so that its reboot cannot be told from its
    power-off."""

    def mark(self):
        self.script('mark', '#!/bin/sh\ntrap "printf x >>/down/mark; exit 0" TERM\nwhile :; do sleep 0.1; done\n')
        (self.directory / 'etc/finit.d/aaa.conf').write_text('service [2345] /mark -- Mark\n')

    def test_life(self):
        self.life('debian-finit', self.mark, b'init', None, b'poweroff')

    def test_orderly_stop(self):
        self.orderly_stop('debian-finit', self.mark)
