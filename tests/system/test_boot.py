# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import re
import signal
import subprocess
import termios
import time

from harness import ROOTS, SPAWN, Host, TestCase, Terminal, changed, manifest, tree, wait_until

PROMPT = rb'# (\x1b\[6n)?$'


class Busybox(TestCase):
    def boot(self):
        self.root = self.copy('busybox')
        t = self.terminal('-D', self.root, '-b')
        t.expect(rb'busybox is up')
        t.expect(PROMPT)
        return t

    def test_a_persons_path(self):
        t = self.boot()
        before = manifest(self.root)
        t.send(b'stty size; tty\r')
        t.expect(rb'\n33 101\r\n/dev/pts/0\r\n')
        t.resize(50, 77)
        os.kill(t.pid, signal.SIGWINCH)
        time.sleep(0.2)
        t.send(b'stty size\r')
        t.expect(rb'\n50 77\r\n')
        t.send(b'sleep 100; echo "after=$?"\r')
        time.sleep(0.5)
        t.send(b'\x03')
        time.sleep(0.3)
        t.send(b'echo still-here\r')
        t.expect(rb'\nstill-here\r\n')
        t.send(b'sleep 100\r')
        time.sleep(0.5)
        t.send(b'\x1a')
        t.expect(rb'Stopped')
        t.send(b'kill %1; echo x\xc3\x9fy\r')
        t.expect(rb'\nx\xc3\x9fy\r\n')
        t.send(b'reboot\r')
        t.expect(rb'busybox goes down')
        t.expect(rb'busybox is up')
        t.expect(PROMPT)
        t.send(b'poweroff\r')
        self.assertEqual(t.wait(), 0)
        self.assertEqual(t.modes(), t.before)
        self.assertEqual(changed(before, manifest(self.root)) - {'root/.ash_history'}, set())

    def test_the_first_instruction_knows_the_size(self):
        for _ in range(20):
            t = self.terminal('-q', '-D', ROOTS / 'busybox', 'stty', 'size')
            t.expect(rb'33 101')
            self.assertEqual(t.wait(), 0)

    def test_escape(self):
        t = self.boot()
        t.send(b'\x1d')
        time.sleep(0.1)
        t.send(b'\x1d\x1d')
        self.assertEqual(t.wait(3), 137)
        self.assertEqual(t.modes(), t.before)

    def test_another_escape_key(self):
        t = self.terminal('--escape=^_', '-D', ROOTS / 'busybox', 'sh', '-c', 'echo up; while read -rs x; do echo "<${#x}>"; done')
        t.expect(rb'\^_ three times(?s:.*)up')
        t.send(b'\x1d\x1d\x1d\r')
        t.expect(b'<3>')
        t.send(b'\x1f\x1f\x1f')
        self.assertEqual(t.wait(), 137)
        t = self.terminal('--escape=none', '-D', ROOTS / 'busybox', 'sh', '-c', 'echo up; read -rs x; echo "<${#x}>"')
        t.expect(b'up')
        self.assertNotIn(b'press', t.everything)
        t.send(b'\x1d\x1d\x1d\r')
        t.expect(b'<3>')
        self.assertEqual(t.wait(), 0)

    def test_slow_escapes_are_bytes(self):
        t = self.boot()
        for _ in range(3):
            t.send(b'\x1d')
            time.sleep(0.6)
        t.send(b'\x15echo alive\r')
        t.expect(rb'\nalive\r\n')
        t.send(b'poweroff\r')
        self.assertEqual(t.wait(), 0)

    def test_every_end_restores_the_terminal(self):
        for sig, status in (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGSEGV, -11), (signal.SIGKILL, -9):
            t = self.boot()
            self.assertNotEqual(t.modes(), t.before)
            os.kill(t.pid, sig)
            self.assertEqual(t.wait(), status, sig)
            for _ in range(40):
                if t.modes() == t.before:
                    break
                time.sleep(0.05)
            self.assertEqual(t.modes(), t.before, sig)
            # Its supervisor, which has the container power off when its first viewer is killed, is another process.
            wait_until(lambda: Host.look() == self.host, 'nothing left', 20)

    def test_suspended_as_a_job(self):
        t = self.boot()
        os.kill(t.pid, signal.SIGTSTP)
        for _ in range(40):
            if os.waitpid(t.pid, os.WNOHANG | os.WUNTRACED)[0]:
                break
            time.sleep(0.05)
        self.assertEqual(t.modes(), t.before)
        os.kill(t.pid, signal.SIGCONT)
        time.sleep(0.3)
        self.assertNotEqual(t.modes(), t.before)
        t.send(b'echo back\r')
        t.expect(rb'\nback\r\n')
        t.send(b'poweroff\r')
        self.assertEqual(t.wait(), 0)

    def test_without_a_terminal(self):
        p = self.start('-D', self.copy('busybox'), '-b', stderr=subprocess.STDOUT)
        out = b''
        while b'busybox is up' not in out:
            out += os.read(p.stdout.fileno(), 4096)
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(20), 0)
        self.assertIn(b'busybox goes down', p.stdout.read())

    def test_a_second_request_kills(self):
        root = self.copy('busybox')
        (root / 'sbin/init').unlink()
        (root / 'bin/init').unlink()
        (root / 'sbin/init').write_text('#!/bin/sh\ntrap "echo no" TERM\necho up\nwhile :; do sleep 0.1; done\n')
        (root / 'sbin/init').chmod(0o755)
        p = self.start('-q', '-D', root, '-b')
        self.assertEqual(p.stdout.readline(), b'up\r\n')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.stdout.readline(), b'no\r\n')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(5), 137)

    def test_kill_signal(self):
        root = self.copy('busybox')
        p = self.start('-q', '-D', root, '--kill-signal=SIGUSR1', 'sh', '-c', 'trap "exit 5" USR1; echo up; while :; do sleep 0.1; done')
        self.assertEqual(p.stdout.readline(), b'up\n')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(5), 5)


class Debian(TestCase):
    def boot(self, name, *words):
        self.root = self.copy(name)
        t = self.terminal('-D', self.root, '-b', *words)
        t.expect(rb'login: $', 90)
        return t

    def log_in(self, t):
        t.send(b'root\r')
        t.expect(rb'assword: ')
        t.send(b'root\r')
        t.expect(rb'# (\x1b\S*)?$')

    def systemd(self, name):
        t = self.boot(name)
        self.log_in(t)
        t.send(b'stty size; until systemctl is-system-running --wait; do sleep 1; break; done\r')
        t.expect(rb'[\r\n]33 101\r\n')
        t.expect(rb'(running|degraded)\r\n')
        t.send(b'cat /proc/1/comm; systemd-detect-virt; echo $(( $(ls -d /sys/fs/cgroup/*.slice | wc -l) > 0 ))\r')
        t.expect(rb'[\r\n]systemd\r\nsystemd-nspawn\r\n1\r\n')
        t.send(b'sleep 100\r')
        time.sleep(0.5)
        t.send(b'\x03')
        t.send(b'echo ctrl-c\r')
        t.expect(rb'[\r\n]ctrl-c\r\n')
        return t

    def test_debian_12(self):
        t = self.systemd('debian-12')
        t.send(b'reboot\r')
        t.expect(rb'login: $', 90)
        self.log_in(t)
        t.send(b'poweroff\r')
        self.assertEqual(t.wait(60), 0)
        self.assertEqual(t.modes(), t.before)

    def test_debian_13(self):
        t = self.systemd('debian-13')
        t.send(b'systemctl exit 42\r')
        self.assertEqual(t.wait(60), 42)

    def test_orderly_stop(self):
        t = self.boot('debian-12', '-q')
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(t.wait(60), 0)

    def test_asked_before_it_is_up(self):
        t = self.terminal('-D', self.copy('debian-12'), '-b')
        time.sleep(0.1)
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(t.wait(90), 0)

    def test_sysvinit(self):
        t = self.boot('debian-sysvinit')
        self.log_in(t)
        t.send(b'cat /proc/1/comm; stty size\r')
        t.expect(rb'[\r\n]init\r\n33 101\r\n')
        t.send(b'reboot\r')
        t.expect(rb'login: $', 90)
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(t.wait(60), 0)

    def test_on_a_host_with_systemd(self):
        """A Debian with systemd is the host here, and itself a container: spawn runs in it."""
        inner = self.copy('busybox')
        t = self.boot('debian-12', '--capability=all', f'--bind-ro={SPAWN}:/usr/local/bin/spawn', f'--bind={inner}:/srv/inner')
        self.log_in(t)
        t.send(b'spawn -q -D /srv/inner sh -c "echo nested; exit 6"; echo "rc=$?"\r')
        t.expect(rb'nested\r\n')
        t.expect(rb'rc=6\r\n')
        t.send(b'spawn -q -D /srv/inner -b; echo "rc=$?"\r')
        t.expect(rb'busybox is up')
        t.expect(PROMPT)
        t.send(b'poweroff\r')
        t.expect(rb'rc=0\r\n')
        t.send(b'find /sys/fs/cgroup -name "spawn-*" | wc -l\r')
        t.expect(rb'[\r\n]0\r\n')
        t.send(b'poweroff\r')
        self.assertEqual(t.wait(60), 0)

    def test_a_command_and_a_shell(self):
        root = self.copy('debian-12')
        p = self.spawn('-q', '-D', root, 'bash', '-c', 'echo $0 $BASH_VERSION; exit 3')
        self.assertEqual(p.returncode, 3)
        t = self.terminal('-D', root)
        t.expect(rb'# (\x1b\S*)?$')
        t.send(b'echo $0 $PWD; exit 4\r')
        t.expect(rb'[\r\n]-bash /root\r\n')
        self.assertEqual(t.wait(), 4)
