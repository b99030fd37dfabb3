# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that are left and come back to: --detach, --detachable, spawnctl. In a /run of our own, so that other runs
on the same host are not seen and do not see us."""

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import time

from harness import SPAWN, TestCase, Terminal, descendants, wait_until

CTL = os.environ.get('SPAWNCTL', str(pathlib.Path(SPAWN).parent.parent / 'tools/spawnctl'))
CLONE_NEWNS, MS_REC_PRIVATE = 0x20000, 0x4000 | 1 << 18
libc = ctypes.CDLL(None, use_errno=True)
STATE = pathlib.Path('/run/spawn')
host_namespace = None


def call(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def setUpModule():
    global host_namespace
    host_namespace = os.open('/proc/self/ns/mnt', os.O_RDONLY)
    call(libc.unshare(CLONE_NEWNS))
    call(libc.mount(b'none', b'/', None, MS_REC_PRIVATE, None))
    call(libc.mount(b'tmpfs', b'/run', b'tmpfs', 0, b'mode=0755'))


def tearDownModule():
    where = os.getcwd()
    call(libc.setns(host_namespace, CLONE_NEWNS))
    os.close(host_namespace)
    os.chdir(where)  # setns(2) has moved us to the root


class Sessions(TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.copy('busybox')
        self.addCleanup(self.end_all)

    def end_all(self):
        for pid, name in descendants().items():
            if name in ('spawn', 'spawnctl'):  # and their guardian cleans up
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        wait_until(lambda: self.reap() or not descendants(), 'the end of all')
        self.ctl('list')  # what was killed while it answered late viewers is cleaned by the way
        self.assertFalse(STATE.exists(), list(STATE.rglob('*')) if STATE.exists() else '')

    @staticmethod
    def reap():
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        return not descendants() and not STATE.exists()

    def detach(self, *command, name='m1', options=()):
        p = self.spawn('-q', '-D', self.root, f'--machine={name}', '--detach', *options, *command)
        self.assertEqual((p.returncode, p.stdout, p.stderr), (0, b'', b''))

    def script(self, text, **kw):
        self.detach('/bin/sh', '-c', text, **kw)

    def ctl(self, *words, **kw):
        return self.spawn(*words, program=CTL, **kw)

    def attach(self, *words, size=(33, 101)):
        t = self.terminal('attach', *words, program=CTL, size=size)
        t.expect(b'attached to')
        return t

    def state(self, name='m1'):
        return json.loads((STATE / name / 'state').read_text())

    # ---- coming and going ----

    def test_detach_attach_leave_and_come_back(self):
        self.script('echo first words; while read x; do echo "<$x>"; [ "$x" = end ] && exit 23; done')
        listed = json.loads(self.ctl('list', '--json').stdout)
        self.assertEqual([(m['machine'], m['state'], m['root']) for m in listed], [('m1', 'running', str(self.root))])
        self.assertIn(b'm1', self.ctl('list').stdout)
        t = self.attach('m1')
        t.expect(b'first words')
        before = t.before
        t.send(b'one\r')
        t.expect(b'<one>')
        t.send(b'\x1d\x1dd')
        self.assertEqual(t.wait(), 0)
        self.assertEqual(t.modes(), before)
        t = self.attach('m1')
        t.expect(b'first words(?s:.*)<one>')
        t.send(b'\x15end\r')  # the escape key itself went to the payload: its line is begun anew
        t.expect(b'<end>')
        self.assertEqual(t.wait(), 23)
        self.assertEqual(t.modes(), before)

    def test_detach_keeps_nothing_of_the_caller(self):
        r, w = os.pipe()
        p = subprocess.run([SPAWN, '-q', '-D', str(self.root), '--machine=m1', '--detach', '/bin/sleep', '50'],
                           pass_fds=(w,), stdout=w, stderr=w, timeout=20)
        os.close(w)
        self.assertEqual(p.returncode, 0)
        self.assertEqual(os.read(r, 100), b'')  # the end of file: nobody else has it
        os.close(r)
        supervisor = self.state()['supervisor']
        self.assertEqual(os.getsid(supervisor), supervisor)
        self.assertEqual(os.readlink(f'/proc/{supervisor}/cwd'), '/')
        self.assertEqual(os.readlink(f'/proc/{supervisor}/fd/2'), '/dev/null')

    def test_errors_reach_the_caller(self):
        for words, status, says in ((('/bin/nothere',), 127, 'nothere'), (('--console=pipe', '/bin/true'), 125, 'console'),
                                    (('--user=nobody-here', '/bin/true'), 125, 'nobody-here')):
            self.refused('-q', '-D', self.root, '--detach', *words, status=status, says=says)
        self.script('sleep 50')
        other = self.copy('busybox')
        self.refused('-q', '-D', other, '--machine=m1', '--detach', '/bin/true', says='there is a machine m1 already')
        for words in (('attach', 'm9'), ('show', '../m1'), ('atach', 'm1'), ('wait', 'm1', '--for=x'), ('list', '--x')):
            p = self.ctl(*words)
            self.assertEqual(p.returncode, 125)
            self.assertRegex(p.stderr.decode(), r'\Aspawnctl: [^\n]*\n(spawnctl: [^\n]*\n)?\Z')

    def test_wait_ready(self):
        self.script('read x; exit 4')
        p = self.start('wait', 'm1', '--for=exit', program=CTL)
        self.assertEqual(self.ctl('wait', 'm1', '--for=running').returncode, 0)
        q = self.spawn('-q', '-D', self.copy('busybox'), '--machine=m2', '--detach', '--wait=ready', '/bin/sh', '-c', 'exit 9')
        self.assertEqual(q.returncode, 9)  # it ended without ever being ready
        self.assertIn(b'Ready=no\n', self.ctl('show', 'm1').stdout)
        ready = self.start('wait', 'm1', '--for=ready', program=CTL)
        early = self.start('wait', 'm3', '--for=ready', program=CTL)  # before it is there
        self.detach('/bin/sh', '-c', 'read x; exit 0', name='m3', options=('-D', self.copy('busybox')))
        t = self.attach('m1')
        t.send(b'\r')
        self.assertEqual((t.wait(), p.wait(10), ready.wait(10)), (4, 4, 125))
        self.assertIn(b'm1 has ended without being ready', ready.stderr.read())
        self.ctl('terminate', 'm3')
        self.assertEqual(early.wait(10), 125)

    # ---- several viewers ----

    def test_a_stopped_viewer_delays_nobody(self):
        self.script('read x; i=0; while [ $i -lt 60000 ]; do echo "line $i of a flood that nobody can stop"; i=$((i+1)); done;'
                    ' echo flood is over; read x; exit 5')
        stopped, looking, writer = self.attach('m1', '-r'), self.attach('m1', '-r'), self.attach('m1')
        os.kill(stopped.pid, signal.SIGSTOP)
        writer.send(b'\r')
        writer.expect(b'flood is over', timeout=60)
        looking.expect(b'flood is over', timeout=60)
        os.kill(stopped.pid, signal.SIGCONT)
        stopped.expect(b'bytes of output were too much', timeout=20)
        stopped.expect(b'flood is over', timeout=20)
        writer.send(b'\r')
        self.assertEqual([t.wait() for t in (writer, looking, stopped)], [5, 5, 5])

    def test_commands_are_answered_during_a_flood(self):
        self.script('while :; do echo yes yes yes yes yes yes yes; done')
        t = self.attach('m1')
        t.expect(b'yes yes')
        begin = time.monotonic()
        self.assertEqual(self.ctl('terminate', 'm1').returncode, 0)
        self.assertEqual(self.ctl('wait', 'm1').returncode, 137)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertEqual(t.wait(), 137)

    def test_one_writer_and_taking_over(self):
        self.script('while read x; do echo "<$x>"; done')
        first, second = self.attach('m1'), self.attach('m1')
        second.expect(b'someone else is typing here')
        second.send(b'lost\r')
        first.send(b'kept\r')
        second.expect(b'<kept>')
        self.assertNotIn(b'lost', second.output + first.output)
        third = self.attach('m1', '--take')
        first.expect(b'someone else has taken')
        third.send(b'taken\r')
        first.expect(b'<taken>')
        fourth = self.attach('m1', '--share')
        fourth.send(b'shared\r')
        third.expect(b'<shared>')
        for t in fourth, third:
            t.send(b'\x1d\x1dd')
            self.assertEqual(t.wait(), 0)
        t = next(t for t in (second, first) if self.can_type(t))
        t.send(b'\x15promoted\r')
        t.expect(b'<promoted>')

    @staticmethod
    def can_type(t):
        try:
            t.expect(b'you can type now', timeout=2)
            return True
        except AssertionError:
            return False

    def test_size_follows_who_typed_last(self):
        self.script('while read x; do echo "<$(stty size)>"; done')
        a = self.attach('m1', size=(20, 70))
        a.send(b'\r')
        a.expect(b'<20 70>')
        b = self.attach('m1', '--share', size=(40, 90))
        b.send(b'\r')
        b.expect(b'<40 90>')
        a.send(b'\r')
        a.expect(b'<20 70>')
        a.resize(25, 80)
        wait_until(lambda: self.asks(a, b'<25 80>'), 'the new size')

    @staticmethod
    def asks(t, pattern):
        t.send(b'\r')
        try:
            t.expect(pattern, timeout=0.5)
            return True
        except AssertionError:
            return False

    def test_a_large_paste_arrives(self):
        """In brackets, as a terminal sends it to a program that has asked for them (xterm's ctlseqs)."""
        self.script(r'stty raw -echo; printf "\033[?2004hbegin"; head -c 3000000 | sha256sum')
        t = self.attach('m1')
        t.expect(b'begin')
        block = bytes(range(32, 127)) * 100
        data = b'\x1b[200~' + (block * (3000000 // len(block) + 1))[:3000000 - 12] + b'\x1b[201~'
        pid = os.fork()
        if pid == 0:
            at = 0
            while at < len(data):
                at += os.write(t.master, data[at:at + 4096])
            os._exit(0)
        import hashlib
        t.expect(hashlib.sha256(data).hexdigest().encode(), timeout=60)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual(t.wait(), 0)

    # ---- ends ----

    def test_the_status_reaches_all_and_a_late_one(self):
        self.script('read x; echo last words; exit 42')
        writer, looking = self.attach('m1'), self.attach('m1', '-r')
        writer.send(b'\r')
        self.assertEqual((writer.wait(), looking.wait()), (42, 42))
        late = self.ctl('attach', 'm1')
        self.assertEqual(late.returncode, 42)
        self.assertIn(b'last words', late.stdout)
        self.detach('/bin/sleep', '50')  # the name and the root are free meanwhile
        self.assertEqual(self.ctl('show', 'm1').returncode, 0)
        time.sleep(2.5)  # and what answered the late one takes nothing with it
        self.assertEqual(self.ctl('show', 'm1').returncode, 0)

    def test_killed_supervisor_leaves_nothing(self):
        self.script('sleep 500')
        state = self.state()
        t = self.attach('m1')
        os.kill(state['supervisor'], signal.SIGKILL)
        self.assertEqual(t.wait(), 125)
        self.assertEqual(t.modes(), t.before)
        wait_until(lambda: not os.path.exists(f"/proc/{state['leader']}") or self.reap(), 'the end of the payload')
        self.script('sleep 500')
        self.assertNotEqual(self.state()['supervisor'], state['supervisor'])
        self.assertEqual(self.ctl('kill', '-s', 'KILL', 'm1').returncode, 0)
        self.assertEqual(self.ctl('wait', 'm1').returncode, 137)

    def test_stale_state_is_seen_through(self):
        (STATE / 'm1').mkdir(parents=True)
        (STATE / 'm1/lock').write_text('')
        (STATE / 'm1/state').write_text('{"name":"m1","supervisor":1,"supervisor_start":77,"leader":1,"leader_start":77}\n')
        self.assertEqual(json.loads(self.ctl('list', '--json').stdout), [])
        self.assertFalse(STATE.exists())
        (STATE / 'm1').mkdir(parents=True)
        (STATE / 'm1/socket').write_text('')
        self.script('exit 0')

    def test_boot_and_poweroff(self):
        self.detach('--boot')
        self.assertEqual(self.ctl('poweroff', 'm1').returncode, 0)
        self.assertEqual(self.ctl('wait', 'm1').returncode, 0)

    def test_wait_for_a_system_that_is_up(self):
        self.root = self.copy('debian-13')
        self.start('-q', '-D', self.root, '--machine=m1', '--detach', '--register=no', '--boot')
        self.assertEqual(self.ctl('wait', 'm1', '--for=ready', timeout=60).returncode, 0)
        self.assertIs(json.loads(self.ctl('show', '--json', 'm1').stdout)['ready'], True)
        t = self.attach('m1')
        t.expect(b'login:')  # its getty is there by then
        self.assertEqual(self.ctl('poweroff', 'm1').returncode, 0)
        self.assertEqual(t.wait(60), 0)

    def test_the_menu_powers_off(self):
        self.detach('--boot')
        t = self.attach('m1')
        t.expect(b'busybox is up')
        t.send(b'\x1d\x1d?')
        t.expect(b'power off')
        t.send(b'\x1d\x1dp')
        self.assertEqual(t.wait(), 0)

    def test_reboot_keeps_the_viewers(self):
        self.detach('--boot')
        t = self.attach('m1')
        t.expect(b'busybox is up')
        first = self.state()['leader']
        self.assertEqual(self.ctl('reboot', 'm1').returncode, 0)
        t.expect(b'busybox is up')
        wait_until(lambda: self.state()['leader'] != first, 'the new leader')
        self.assertEqual(self.ctl('terminate', 'm1').returncode, 0)
        self.assertEqual(t.wait(), 137)

    # ---- in the foreground ----

    def foreground(self, *words, options=('--detachable',), **kw):
        return self.terminal('-q', '-D', self.root, '--machine=m1', *options, *words, **kw)

    def test_foreground_can_be_left(self):
        t = self.foreground('/bin/sh', '-c', 'stty size; read x; echo "<$x>"; exit 6', size=(31, 77))
        t.expect(b'31 77')
        t.send(b'\x1d\x1dd')
        self.assertEqual(t.wait(), 0)
        self.assertEqual(t.modes(), t.before)
        t = self.attach('m1')
        t.send(b'\x15back\r')
        t.expect(b'<back>')
        self.assertEqual(t.wait(), 6)

    def test_foreground_shows_a_short_life(self):
        for i in range(20):
            t = self.foreground('/bin/sh', '-c', f'echo short {i}; exit 3')
            self.assertEqual(t.wait(), 3)
            t.pump(0)
            self.assertIn(b'short %d\r\n' % i, t.output)
            wait_until(lambda: not STATE.exists(), 'no lingering')

    def test_a_viewer_is_stopped_as_a_job(self):
        self.script('while read x; do echo "<$x>"; done')
        t = self.attach('m1')
        raw = t.modes()
        os.kill(t.pid, signal.SIGTSTP)
        wait_until(lambda: t.modes() == t.before, 'the terminal given back')
        os.kill(t.pid, signal.SIGCONT)
        wait_until(lambda: t.modes() == raw, 'the terminal taken again')
        t.send(b'on\r')
        t.expect(b'<on>')

    def test_escape_kills(self):
        t = self.foreground('/bin/sh', '-c', 'echo up; sleep 500')
        t.expect(b'up')
        t.send(b'\x1d\x1d\x1d')
        self.assertEqual(t.wait(), 137)

    def test_another_escape_key(self):
        t = self.foreground('/bin/sh', '-c', 'echo up; while read -rs x; do echo "<${#x}>"; done', options=('--detachable', '--escape=^a'))
        t.expect(b'up')
        t.send(b'\x1d\x1d\x1d\r')  # the payload's now
        t.expect(b'<3>')
        t.send(b'\x01\x01?')
        t.expect(rb'\^A \^A d')
        t.send(b'\x01\x01d')
        self.assertEqual(t.wait(), 0)
        t = self.attach('m1', '--escape=none')
        t.send(b'\x15\x1d\x1dd\x01\x01d\r')
        t.expect(b'<6>')
        p = self.ctl('attach', 'm1', '--escape=x')
        self.assertEqual((p.returncode, p.stderr.count(b'\n')), (125, 1), p.stderr)
        self.assertIn(b'--escape=x: not a key', p.stderr)

    def test_hangup(self):
        t = self.foreground('/bin/sh', '-c', 'echo up; sleep 500')
        t.expect(b'up')
        os.kill(t.pid, signal.SIGHUP)
        t.wait()
        wait_until(lambda: not STATE.exists(), 'the end')
        t = self.foreground('/bin/sh', '-c', 'echo up; sleep 500')
        t.expect(b'up')
        os.kill(t.pid, signal.SIGKILL)  # as a plain run that is killed
        wait_until(lambda: not STATE.exists(), 'the end')
        wait_until(lambda: t.modes() == t.before, 'the terminal given back by the guardian')
        t = self.foreground('/bin/sh', '-c', 'echo up; sleep 500', options=('--on-hangup=detach',))
        t.expect(b'up')
        os.kill(t.pid, signal.SIGHUP)
        self.assertEqual(t.wait(), 129)
        self.assertEqual(self.ctl('show', 'm1').returncode, 0)

    # ---- runs that cannot be left are reached as well ----

    def plain(self, *words, **kw):
        return self.terminal('-q', '-D', self.root, '--machine=m1', *words, **kw)

    def consoles(self):
        return {m['machine']: m['console'] for m in json.loads(self.ctl('list', '--json').stdout)}

    def test_a_plain_run_in_a_terminal(self):
        t = self.plain('/bin/sh', '-c', 'echo up; while read x; do echo "<$x $(stty size)>"; [ "$x" = end ] && exit 23; done', size=(31, 77))
        t.expect(b'up')
        self.assertEqual(self.consoles(), {'m1': 'interactive'})
        self.assertEqual(self.ctl('exec', 'm1', '--', 'cat', '/proc/1/comm').stdout, b'sh\n')
        looking = self.attach('m1')
        looking.expect(b'someone else is typing here')
        looking.send(b'lost\r')
        beside = self.attach('m1', '--share', size=(20, 40))
        beside.send(b'beside\r')
        t.expect(b'<beside 31 77>')  # the size is that of the terminal it was started on
        t.send(b'end\r')
        self.assertEqual([x.wait() for x in (t, looking, beside)], [23, 23, 23])
        self.assertNotIn(b'lost', t.everything)
        self.assertFalse(STATE.exists())  # nobody answers late ones: who started it has been told
        self.assertEqual(t.modes(), t.before)

    def test_the_console_of_a_service(self):
        """Nobody can type but who attaches."""
        p = self.start('-q', '-D', self.root, '--machine=m1', '--console=read-only', '/bin/sh', '-c',
                       'echo up; read x; echo "<$x>"; exit 5')
        wait_until(lambda: self.consoles() == {'m1': 'read-only'}, 'the machine')
        t = self.attach('m1')
        t.expect(b'up')
        t.send(b'typed\r')
        t.expect(b'<typed>')
        self.assertEqual((t.wait(), p.wait(10)), (5, 5))
        self.assertIn(b'<typed>', p.stdout.read())

    def test_a_command_without_a_console(self):
        begin = time.monotonic()
        self.assertEqual(self.spawn('-q', '-D', self.root, '--machine=m1', '--console=pipe', '/bin/true').returncode, 0)
        self.assertLess(time.monotonic() - begin, 1.5)  # nor does it stay for those who come late
        p = self.start('-q', '-D', self.root, '--machine=m1', '--console=pipe', '/bin/sleep', '500')
        wait_until(lambda: self.consoles() == {'m1': 'none'}, 'the machine')
        q = self.ctl('attach', 'm1')
        self.assertEqual((q.returncode, q.stderr.count(b'\n')), (125, 1), q.stderr)
        self.assertIn(b'pipe mode', q.stderr)
        self.assertEqual(self.ctl('exec', 'm1', '--', 'sh', '-c', 'exit 9').returncode, 9)
        w = self.start('wait', 'm1', program=CTL)
        wait_until(lambda: any(os.readlink(f).startswith('socket:') for f in pathlib.Path(f'/proc/{w.pid}/fd').iterdir()), 'the wait')
        self.assertEqual(self.ctl('terminate', 'm1').returncode, 0)
        self.assertEqual((p.wait(10), w.wait(10)), (137, 137))

    def test_a_command_whose_name_is_taken(self):
        """It runs all the same, and takes nothing from who has the name."""
        self.script('sleep 500')
        p = self.spawn('-D', self.copy('busybox'), '--machine=m1', '--console=pipe', '/bin/echo', 'runs')
        self.assertEqual((p.returncode, p.stdout, p.stderr), (0, b'runs\n', b''))
        self.assertEqual(self.consoles(), {'m1': 'detached'})
        self.assertEqual(self.ctl('exec', 'm1', '--', 'true').returncode, 0)

    def test_a_run_that_cannot_be_written(self):
        """/run is read-only: what cannot do without it says what can."""
        call(libc.mount(b'none', b'/run', None, 0x20 | 1, None))  # MS_REMOUNT | MS_RDONLY
        try:
            p = self.spawn('-q', '-D', self.root, '--machine=m1', '--console=pipe', '/bin/echo', 'runs')
            self.assertEqual((p.returncode, p.stdout, p.stderr), (0, b'runs\n', b''))
            self.refused('-q', '-D', self.root, '--machine=m1', '--detach', '/bin/true', says='cannot make /run/spawn/m1: Read-only')
            t = self.plain('--boot')
            self.assertEqual(t.wait(), 125)
            self.assertRegex(t.output, rb'cannot make /run/spawn/m1: Read-only(?s:.*)--detachable=no starts it all the same')
            t = self.plain('--boot', '--detachable=no')
            t.expect(b'busybox is up')
            t.send(b'\x1d\x1d\x1d')
            self.assertEqual(t.wait(), 137)
        finally:
            call(libc.mount(b'none', b'/run', None, 0x20, None))

    def test_a_plain_run_is_killed(self):
        for words in ('--console=read-only',), ('--console=pipe',):
            p = self.start('-q', '-D', self.root, '--machine=m1', *words, '/bin/sleep', '500')
            wait_until(self.consoles, 'the machine')
            p.kill()
            wait_until(lambda: self.reap() or not STATE.exists(), 'the end of all')

    # ---- what else a viewer can do ----

    def test_the_log_pauses(self):
        log = self.root / 'log'
        self.script('while read x; do echo "<$x>"; done', options=(f'--console-log={log}',))
        t = self.attach('m1')
        for word, says in (b'one', b'the log pauses'), (b'two', b'the log goes on'), (b'three', b'the log pauses'):
            t.send(word + b'\r')
            t.expect(b'<' + word + b'>')
            t.send(b'\x1d\x1dl')
            t.expect(says)
            t.send(b'\x15')
        lines = [l.split(' ', 1)[1] for l in log.read_text().splitlines()]
        self.assertEqual([l for l in lines if l[0] in '<-'], ['<one>', '--- the log was paused here ---', '--- and goes on here ---',
                                                             '<three>', '--- the log was paused here ---'])
        self.ctl('terminate', 'm1')
        self.assertEqual(t.wait(), 137)
        self.script('sleep 50')
        t = self.attach('m1')
        t.send(b'\x1d\x1dl')
        t.expect(b'there is no log')

    def test_keys_for_a_console_within(self):
        self.script('stty raw -echo; echo up; dd bs=1 count=4 2>/dev/null | od -An -tx1; sleep 50')
        t = self.attach('m1')
        t.expect(b'up')
        t.send(b'\x1d\x1d.dx')
        t.expect(b'1d 1d 64 78')

    def test_a_terminal_that_is_left_is_as_it_was(self):
        self.script(r'printf "\033[?1049h\033[?2004h\033[?25lediting"; sleep 50')
        t = self.attach('m1')
        t.expect(b'editing')
        t.send(b'\x1d\x1dd')
        self.assertEqual(t.wait(), 0)
        for undo in b'\033[?1049l', b'\033[?2004l', b'\033[?25h':
            self.assertIn(undo, t.output)

    def test_the_safe_filter_is_for_viewers_too(self):
        attack = r'printf "a\033]52;c;ZXZpbA==\007b\033[21tc\033P$q\033\\\\d\033[1me\n"'
        self.script(f'{attack}; read x; {attack}; exit 3', options=('--console-filter=safe',))
        early = self.attach('m1', '-r')
        early.expect(rb'abcd\x1b\[1me')  # what came before it did
        t = self.attach('m1')
        t.send(b'\r')
        self.assertEqual((t.wait(), early.wait()), (3, 3))
        for shown in t.everything, early.everything:
            self.assertEqual(shown.count(b'abcd\x1b[1me'), 2, shown)
            self.assertNotRegex(shown, rb'\x1b[]P]|\[21t')

    def test_record(self):
        """What is played is what a viewer has seen, from what was shown before the recording began."""
        from test_console_log import play, pyte, shown
        cast = self.root / 'cast'
        self.script(r'printf "before\n"; while read x; do printf "\033[2;5H\033[31m$x \303\244\033[0m $(stty size)\n"; [ "$x" = end ] && exit 4; done')
        t = self.attach('m1', size=(20, 70))
        t.expect(b'before')
        p = self.start('record', 'm1', cast, program=CTL)
        wait_until(lambda: cast.exists() and b'before' in cast.read_bytes(), 'the recording')
        t.send(b'one\r')
        t.expect(b'20 70')
        t.resize(30, 90)
        t.send(b'two\r')
        wait_until(lambda: b'two' in cast.read_bytes(), 'the recording')
        t.send(b'end\r')
        self.assertEqual((t.wait(), p.wait(10)), (4, 4))
        header, events = play(cast)
        self.assertEqual((header['width'], header['height']), (70, 20))
        self.assertEqual([d for _, k, d in events if k == 'r'], ['90x30'])
        first, second = pyte.Screen(90, 30), pyte.Screen(90, 30)
        pyte.ByteStream(first).feed(t.everything[t.everything.index(b'before'):])
        pyte.Stream(second).feed(shown(events)[shown(events).index('before'):])
        self.assertEqual(first.display, second.display)
        self.script('echo up; sleep 50')
        p = self.start('record', 'm1', cast, program=CTL)
        wait_until(lambda: b'up' in cast.read_bytes(), 'the recording')
        p.terminate()
        self.assertEqual(p.wait(10), 0)
        self.assertIn('up', shown(play(cast)[1]))
        for words, says in (('record', 'm9', cast), b'no machine m9'), (('record', 'm1'), b'needs a path'), (('record', 'm1', '/no/x'), b'/no/x'):
            q = self.ctl(*words)
            self.assertEqual((q.returncode, q.stderr.count(b'\n')), (125, 1), q.stderr)
            self.assertIn(says, q.stderr)

    def test_the_menu_of_a_plain_run(self):
        log = self.root / 'log'
        t = self.plain(f'--console-log={log}', 'sh', '-c', 'stty raw -echo; echo up; dd bs=1 count=13 2>/dev/null | od -An -tx1; sleep 50')
        t.expect(b'up')
        for letter, says in (b'?', b'leave, the container goes on'), (b'd', b'cannot be left: --detachable'), (b'l', b'the log pauses'), \
                            (b'l', b'the log goes on'):
            t.send(b'\x1d\x1d' + letter)
            t.expect(says)
        t.send(b'\x1d\x1d.dxyz')
        t.expect(rb'1d 1d 1d 1d 1d 1d 1d 1d\s+1d 1d 64 78 79')  # what is typed is the payload's, but for those letters
        t.send(b'\x1d\x1dp')
        self.assertEqual(t.wait(), 137)  # it handles no signal
        self.assertIn('--- the log was paused here ---', log.read_text())

    def test_a_terminal_that_takes_nothing(self):
        """It holds nobody up, and who was started on it ends all the same, with the container's status."""
        t = self.foreground('sh', '-c', 'read x; trap "exit 7" TERM; while :; do echo a flood that nobody reads; done')
        t.send(b'\r')
        t.expect(b'a flood')
        time.sleep(0.5)
        begin = time.monotonic()
        self.assertEqual(self.ctl('exec', 'm1', '--', 'true').returncode, 0)
        os.kill(t.pid, signal.SIGTERM)
        wait_until(lambda: os.waitid(os.P_PID, t.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), 'the end', 15)
        self.assertLess(time.monotonic() - begin, 12)
        self.assertEqual(t.wait(), 7)
