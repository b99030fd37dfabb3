# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands beside the payload: spawnctl exec, shell, login. In a /run of our own, as test_sessions has it."""
import hashlib
import os
import signal
import subprocess
import time

import test_sessions
from harness import wait_until
from test_sessions import CTL, setUpModule, tearDownModule  # noqa: F401


class Machine(test_sessions.Sessions):
    """Without the tests of that class."""


for name in [n for n in dir(Machine) if n.startswith('test_')]:
    setattr(Machine, name, None)


class Exec(Machine):
    def setUp(self):
        super().setUp()
        self.detach('sleep', '1000')

    def exec(self, *words, machine='m1', **kw):
        return self.ctl('exec', machine, '--', *words, **kw)

    def shell(self, text, **kw):
        p = self.exec('sh', '-c', text, **kw)
        self.assertEqual((p.returncode, p.stderr), (0, b''))
        return p.stdout.decode()

    def test_streams_are_exact(self):
        data = os.urandom(5_000_000)
        p = self.exec('sh', '-c', 'cat; echo problem >&2; exit 7', input=data)
        self.assertEqual((p.returncode, p.stderr), (7, b'problem\n'))
        self.assertEqual(hashlib.sha256(p.stdout).digest(), hashlib.sha256(data).digest())

    def test_status(self):
        self.assertEqual(self.exec('sh', '-c', 'kill -TERM $$').returncode, 128 + 15)
        for words, status, says in ((['nothere'], 127, 'no such program'), (['/etc/passwd'], 126, 'cannot run|permission|denied')):
            p = self.exec(*words)
            self.assertEqual(p.returncode, status)
            self.assertRegex(p.stderr.decode(), rf'^spawnctl: .*({says})')
        for words, says in ((['exec', 'm2', 'true'], 'no machine m2'), (['exec', 'm1'], 'needs a command'),
                            (['exec', '-u', 'nobodyhere', 'm1', 'true'], 'no user nobodyhere'),
                            (['exec', '--chdir=/nowhere', 'm1', 'true'], '/nowhere'), (['exec', '--take', 'm1', 'true'], 'not for exec'),
                            (['exec', '-E', 'novalue', 'm1', 'true'], 'NAME=VALUE'), (['login', 'm1'], 'needs a terminal'),
                            (['exec', 'm1', 'x' * 70000], 'Message too long')):
            p = self.ctl(*words)
            self.assertEqual((p.returncode, p.stdout), (125, b''), words)
            self.assertRegex(p.stderr.decode(), rf'^spawnctl: .*{says}')

    def test_what_it_is_held_to(self):
        """The same as the payload: capabilities, filter, limits, group, namespaces."""
        look = 'grep -E "^(Uid|Gid|Groups|Cap|NoNew|Seccomp|Cpus_allowed_list)" /proc/%s/status; cat /proc/%s/limits /proc/%s/cgroup'
        text = self.shell(look % (('self',) * 3) + '; for n in /proc/self/ns/*; do readlink $n; done')
        theirs = self.shell(look % (('1',) * 3) + '; for n in /proc/1/ns/*; do readlink $n; done')
        self.assertEqual(text, theirs)
        self.assertIn('Seccomp:\t2', text)
        self.assertIn('0::/\n', text)

    def test_options_of_the_payload_hold(self):
        self.root = self.copy('busybox')
        self.detach('sleep', '1000', name='m2', options=['--drop-capability=all', '--no-new-privileges=yes', '--rlimit=NOFILE=64',
                                                        '--user=alice', '--private-network', '--read-only'])
        p = self.exec('sh', '-c', 'grep -E "^(Uid|CapBnd|NoNew)" /proc/self/status; ulimit -n; ls /sys/class/net', machine='m2')
        self.assertEqual(p.stdout, b'Uid:\t1001\t1001\t1001\t1001\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n64\nlo\n')

    def test_user_directory_environment(self):
        p = self.ctl('exec', '-u', 'alice', '--chdir=/etc', '-E', 'A=b', '--setenv', 'LANG=x', 'm1', 'sh', '-c',
                     'id -u; id -G; pwd; echo $A $LANG $HOME $USER', env=os.environ | {'SECRET': 'x'})
        self.assertEqual(p.stdout, b'1001\n1001 100\n/etc\nb x /home alice\n', p.stderr)
        self.assertNotRegex(self.shell('env', env=os.environ | {'SECRET': 'x'}), 'SECRET|NOTIFY_SOCKET|LISTEN')
        self.assertEqual(self.ctl('shell', 'alice@m1', 'id', '-un').stdout, b'alice\n')
        self.assertEqual(self.ctl('shell', 'm1', input=b'echo $0; pwd\n').stdout, b'-sh\n/root\n')

    def test_nothing_leaks(self):
        self.assertEqual(self.shell('for i in $(seq 0 63); do [ -e /proc/$$/fd/$i ] && echo $i; done; true'), '0\n1\n2\n')
        before = len(os.listdir(f'/proc/{self.state()["supervisor"]}/fd'))
        for _ in range(5):
            self.shell('true')
        wait_until(lambda: len(os.listdir(f'/proc/{self.state()["supervisor"]}/fd')) == before, 'the supervisor has closed all')

    def test_signals_are_passed_on(self):
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGUSR1:
            p = self.start('exec', 'm1', 'sh', '-c', f'trap "exit 5" {number.name[3:]}; echo up; while :; do sleep 0.1; done', program=CTL)
            self.assertEqual(p.stdout.readline(), b'up\n')
            p.send_signal(number)
            self.assertEqual(p.wait(10), 5)

    def test_a_client_that_is_killed(self):
        p = self.start('exec', 'm1', 'sh', '-c', 'echo up; sleep 777', program=CTL)
        self.assertEqual(p.stdout.readline(), b'up\n')
        p.kill()
        wait_until(lambda: 'sleep 777' not in self.shell('ps'), 'the command has ended')

    def test_the_container_ends(self):
        p = self.start('exec', 'm1', 'sh', '-c', 'echo up; sleep 777', program=CTL)
        self.assertEqual(p.stdout.readline(), b'up\n')
        self.ctl('terminate', 'm1')
        self.assertEqual(p.wait(10), 137)

    def test_many_at_once(self):
        running = [self.start('exec', 'm1', 'sh', '-c', f'cat; exit {i}', program=CTL, stdin=subprocess.PIPE) for i in range(20)]
        for p in running:
            p.stdin.write(b'x')
            p.stdin.close()
        for i, p in enumerate(running):
            self.assertEqual((p.stdout.read(), p.wait(20)), (b'x', i))
            p.stdin = None

    # ---- terminals ----

    def test_a_terminal_of_its_own(self):
        t = self.terminal('exec', 'm1', 'sh', '-c', 'tty; stty size; read x; stty size; echo "<$TERM>"; exit 9', program=CTL)
        before = t.before
        t.expect(rb'/dev/pts/\d+\r\n33 101\r\n')
        t.resize(20, 60)
        t.send(b'\r')
        t.expect(rb'20 60\r\n<xterm>')
        self.assertEqual(t.wait(), 9)
        self.assertEqual(t.modes(), before)

    def test_a_shell_on_it(self):
        t = self.terminal('shell', 'm1', program=CTL)
        t.expect(rb'# ')
        t.send(b'sleep 100\r')
        time.sleep(0.3)
        t.send(b'\x03')
        t.send(b'echo still $((40+2)); exit 3\r')
        t.expect(rb'still 42')
        self.assertEqual(t.wait(), 3)

    def test_left_by_the_escape_key(self):
        t = self.terminal('shell', 'm1', program=CTL)
        t.expect(rb'# ')
        t.send(b'exec sleep 778\r')
        wait_until(lambda: 'sleep 778' in self.shell('ps'), 'it runs')
        t.send(b'\x1d\x1d\x1d')
        t.wait()
        wait_until(lambda: 'sleep 778' not in self.shell('ps'), 'it was hung up')

    def test_the_callers_terminal_stays_outside(self):
        """Not even as one of three streams: root inside could type on it (TIOCSTI)."""
        script = f'{CTL} exec m1 -- sh -c "for i in 0 1 2; do readlink /proc/self/fd/\\$i; done; echo done" </dev/null'
        t = self.terminal('-c', script, program='/bin/sh')
        t.expect(rb'/dev/null\r?\n.*pipe:\S+\s+pipe:\S+\s+done')
        self.assertEqual(t.wait(), 0)
        t = self.terminal('-c', f'{CTL} exec m1 cat | cat', program='/bin/sh')
        t.send(b'typed words\r')
        t.expect(rb'typed words\r\n(.|\n)*typed words')
        t.send(b'\x04')
        self.assertEqual(t.wait(), 0)

    def test_what_the_container_puts_in_place_of_its_terminals(self):
        self.shell('mount -t tmpfs none /dev/pts; mkfifo /dev/pts/ptmx')
        p = self.ctl('exec', '-t', 'm1', 'true', timeout=10)
        self.assertEqual(p.returncode, 125)
        self.assertRegex(p.stderr.decode(), 'spawnctl: .*devpts|pts')

    def test_accounts_that_are_no_files(self):
        self.shell('rm /etc/passwd; mkfifo /etc/passwd')
        self.assertIn(self.exec('true', timeout=10).returncode, (0, 125))


class Login(Machine):
    def test_debian(self):
        self.root = self.copy('debian-12')
        self.detach(name='deb', options=['--boot', '--wait=ready', '--notify-ready=yes'])
        t = self.terminal('login', 'deb', program=CTL)
        t.expect(rb'login: $', 30)
        t.send(b'root\r')
        t.expect(rb'assword: ')
        t.send(b'root\r')
        t.expect(rb'# (\x1b\S*)?$')
        t.send(b'tty; systemctl is-active basic.target; exit\r')
        t.expect(rb'/dev/pts/\d+\r\nactive')
        t.wait()
        self.assertEqual(self.ctl('exec', 'deb', 'systemctl', 'is-active', 'basic.target').stdout, b'active\n')
        self.assertEqual(self.ctl('poweroff', 'deb').returncode, 0)
        self.assertEqual(self.ctl('wait', 'deb', timeout=60).returncode, 0)
