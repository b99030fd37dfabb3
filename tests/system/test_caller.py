# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers of every kind: what they have set must not reach the payload, and what they do must not strand it."""
import ctypes
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

from harness import ROOTS, SPAWN, TestCase, Terminal, descendants

BB = ROOTS / 'busybox'
MS_REMOUNT = 32


class Caller(TestCase):
    def wait_for(self, what, seconds=10):
        end = time.monotonic() + seconds
        while not (result := what()):
            self.assertLess(time.monotonic(), end, 'it has not come to pass')
            time.sleep(0.02)
        return result

    def leader(self, p):
        """The payload's PID on the host: below spawn, in another PID namespace."""
        def find():
            for pid in pathlib.Path(f'/proc/{p.pid}/task/{p.pid}/children').read_text().split():
                try:
                    if os.readlink(f'/proc/{pid}/ns/pid') != os.readlink('/proc/self/ns/pid'):
                        return int(pid)
                except OSError:
                    pass
        return self.wait_for(find)

    def test_pid_1_is_killed_from_outside(self):
        p = self.start('-q', '-D', BB, 'sh', '-c', 'echo up; sleep 100')
        self.assertEqual(p.stdout.readline(), b'up\n')
        os.kill(self.leader(p), signal.SIGKILL)
        self.assertEqual(p.wait(5), 137)

    def test_signal_state_and_umask_are_fresh(self):
        def spoil():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGWINCH})
            for s in signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD:
                signal.signal(s, signal.SIG_IGN)
            os.umask(0o777)
        for mode in 'pipe', 'read-only':
            p = self.spawn('-q', '-D', BB, f'--console={mode}', 'sh', '-c', 'grep -E "Sig(Blk|Ign)" /proc/self/status; umask',
                           preexec_fn=spoil, restore_signals=False)
            self.assertEqual(p.stdout.split(), [b'SigBlk:', b'0' * 16, b'SigIgn:', b'0' * 16, b'0022'], mode)

    def test_a_caller_with_narrow_limits(self):
        def narrow():
            resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        p = self.spawn('-q', '-D', BB, 'sh', '-c', 'ulimit -Sn', preexec_fn=narrow)
        effective = int(re.search(r'CapEff:\s+(\w+)', open('/proc/self/status').read())[1], 16)
        raised = effective & 1 << 24  # CAP_SYS_RESOURCE, which some sandboxes withhold
        self.assertEqual((p.returncode, p.stdout), (0, b'1024\n' if raised else b'32\n'), p.stderr)

    def test_a_caller_in_a_directory_that_is_gone(self):
        gone = pathlib.Path('/var/tmp') / f'gone-{os.getpid()}'
        gone.mkdir()
        p = self.spawn('-q', '-D', BB, 'pwd', preexec_fn=lambda: (os.chdir(gone), os.rmdir(gone)))
        self.assertEqual((p.returncode, p.stdout), (0, b'/\n'), p.stderr)

    def test_relative_and_linked_roots(self):
        root = self.copy('busybox')
        (root.parent / 'link').symlink_to('busybox')
        for name in 'busybox', './busybox/', 'link', '../' + root.parent.name + '/busybox':
            p = self.spawn('-q', '-D', name, 'hostname', cwd=root.parent)
            self.assertEqual((p.returncode, p.stderr), (0, b''), name)

    def test_a_root_with_a_strange_name(self):
        root = self.copy('busybox')
        for name in 'a b\tc', 'new\nline', '\x1b[31m', ':colon,comma\\back', 'ümläut', '-dash', 'x' * 200:
            strange = root.parent / name
            root.rename(strange)
            try:
                p = self.spawn('-q', '-D', strange, 'sh', '-c', 'hostname; exit 4')
                self.assertEqual(p.returncode, 4, (name, p.stderr))
                self.assertRegex(p.stdout, rb'^[A-Za-z0-9.-]+\n$')
                text = self.refused('-q', '-D', strange, '/no/such', status=127)
                self.assertNotIn('\x1b', text)
            finally:
                strange.rename(root)

    def test_the_terminal_goes_away(self):
        """A terminal window is closed: SIGHUP, an orderly stop, nothing left."""
        t = Terminal([SPAWN, '-q', '-D', str(self.copy('busybox')), '-b'])
        t.expect(rb'busybox is up')
        os.close(t.master)
        os.close(t.slave)
        pid, status = self.wait_for(lambda: (r := os.waitpid(t.pid, os.WNOHANG))[0] and r, 20)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)

    def test_output_that_cannot_be_written(self):
        with open('/dev/full', 'wb') as full:
            for mode in 'pipe', 'read-only':
                p = self.spawn('-q', '-D', BB, f'--console={mode}', 'sh', '-c', 'echo x; exit 0', stdout=full, timeout=10)
                self.assertIn(p.returncode, (0, 125), mode)

    def test_an_init_gets_words_and_a_boot_its_tmp(self):
        root = self.copy('busybox')
        for name in 'sbin/init', 'bin/init':
            (root / name).unlink()
        (root / 'sbin/init').write_text('#!/bin/sh\necho "$# $*"\ngrep -c " /tmp tmpfs " /proc/mounts\necho "lang=$LANG,$container,$$"\n')
        (root / 'sbin/init').chmod(0o755)
        p = self.spawn('-q', '-D', root, '-b', '--console=pipe', 'single', '--x')
        self.assertEqual(p.stdout.split(), [b'2', b'single', b'--x', b'1', b'lang=,systemd-nspawn,1'])
        p = self.spawn('-q', '-D', root, '-b', '--console=pipe', env=os.environ | {'SYSTEMD_NSPAWN_TMPFS_TMP': '0'})
        self.assertEqual(p.stdout.split()[1:2], [b'0'])

    def test_the_options_of_cgroup2_are_the_hosts(self):
        """A mount of cgroup2 in the host's cgroup namespace would turn nsdelegate and its like off for everybody."""
        def found():
            return [l.split()[1:4:2] for l in open('/proc/mounts') if l.split()[2] == 'cgroup2']
        top, before = (found() or self.skipTest('cgroup2 is not mounted here'))[0]

        def set_options(text):
            self.assertEqual(ctypes.CDLL(None).mount(None, top.encode(), None, MS_REMOUNT, text.encode()), 0)
        set_options('nsdelegate,memory_recursiveprot')
        self.addCleanup(set_options, ','.join(o for o in before.split(',') if o not in ('rw', 'relatime', 'nosuid', 'nodev', 'noexec')))
        with_options = found()
        if 'nsdelegate' not in with_options[0][1]:
            self.skipTest('this is not the first cgroup namespace')
        self.spawn('-q', '-D', BB, 'true')
        self.assertEqual(found(), with_options)
        p = self.start('-q', '-D', BB, '-b', stderr=None)
        while b'busybox is up' not in (line := p.stdout.readline()):
            self.assertTrue(line)
        self.assertEqual(found(), with_options)
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(20), 0)

    def test_many_at_once(self):
        """Sixteen containers on copies of one root: none waits for another, none leaves anything."""
        root = self.copy('busybox')
        running = []
        for i in range(16):
            copy = root.parent / f'copy-{i}'
            shutil.copytree(root, copy, symlinks=True)
            running.append(self.start('-q', '-D', copy, '-b', stderr=None))
        for p in running:
            while b'busybox is up' not in (line := p.stdout.readline()):
                self.assertTrue(line)
        for p in running:
            p.send_signal(signal.SIGTERM)
        for p in running:
            self.assertEqual(p.wait(20), 0)

    def test_orphans_of_the_payload_end_with_it(self):
        before = descendants()
        for words in [], ['-a']:
            p = self.spawn('-q', *words, '-D', BB, 'sh', '-c', '(setsid sleep 1000 >/dev/null 2>&1 </dev/null &); exit 6')
            self.assertEqual(p.returncode, 6)
            self.wait_for(lambda: descendants().keys() <= before.keys(), 3)
