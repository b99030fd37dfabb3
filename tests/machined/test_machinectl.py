# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every verb of machinectl on a container, for systemd-nspawn (which proves the test) and for spawn."""
import concurrent.futures
import itertools
import json
import re

import host
from harness import TOP

PROMPT = rb'[#$] (\x1b\S*)?$'

# Values that no two containers share.
OF_ONE_CONTAINER = re.compile(r'.*Timestamp(Monotonic)?|InvocationID|ControlGroupId|Leader(PIDFDId)?|Id|.*(Current|Peak|NSec|Bytes|'
                              r'Packets|Operations|Available)|Controller|Refs|FragmentPath|NInodes')


class Machines(host.TestCase):
    program = 'systemd-nspawn'
    numbers = itertools.count(1)

    def launch(self, name, *words, properties=(), **kw):
        """Starts the machine NAME below a service of the host, in a scope of its own as from a shell. What the machine
        is waited for, and how it ends, is the caller's."""
        unit = f'launch-{name}-{next(self.numbers)}'  # one journal for each launch
        self.addCleanup(self.gone, unit, name)
        self.ok(self.systemd.background(unit, self.program, '-q', '-D', f'/var/lib/machines/{name}', '-M', name, *words,
                                        properties=['TimeoutStopSec=20s', *properties], **kw))
        return unit

    def launch_busybox(self, name, *words, **kw):
        """One that is booted, and takes signals: until its init has handlers for them the kernel drops them."""
        unit = self.launch(name, '--kill-signal=SIGUSR2', *words, '-b', **kw)
        self.wait_for(lambda: 'busybox is up' in self.console(unit))
        return unit

    def console(self, unit):
        return self.systemd.enter('journalctl', '--all', '-u', unit, '--no-pager').stdout

    def gone(self, unit, name):
        """The machine and its launcher have ended, by force if need be."""
        self.systemd.enter('systemctl', 'stop', unit)
        self.systemd.enter('systemctl', 'reset-failed', unit)
        if name in self.names():
            self.systemd.enter('machinectl', 'kill', '--signal=SIGKILL', name)
        self.wait_for(lambda: name not in self.names(), 30, f'{name} stays')

    def names(self):
        return [l.split()[0] for l in self.ctl('--no-legend', 'list').splitlines()]

    def ctl(self, *words, **kw):
        return self.ok(self.systemd.enter('machinectl', '--no-pager', *words), **kw)

    def value(self, name, machine='debian'):
        return self.systemd.enter('machinectl', 'show', machine, '-p', name, '--value').stdout.strip()

    def boot_debian(self, *words):
        """A booted Debian with an address of its own."""
        unit = self.launch('debian', '--private-network', *words, '-b')
        self.up('debian')
        self.leader = self.properties('machinectl', 'show', 'debian')['Leader']
        into = f'nsenter -t {self.leader} -n'
        self.ok(self.systemd.enter('sh', '-ec', f'ip link add ve-test type veth peer name host0 netns {self.leader};'
                                                f'ip link set ve-test up; ip address add 192.0.2.1/24 dev ve-test; {into} ip link set host0 up;'
                                                f'{into} ip address add 192.0.2.7/24 dev host0'))
        return unit

    def up(self, name):
        # Without --wait: asked while the machine's bus comes up, it may wait for ever.
        self.wait_for(lambda: self.systemd.enter('systemctl', '-M', name, 'is-system-running').stdout == 'running\n',
                      30, lambda: self.systemd.enter('systemctl', '-M', name, '--failed').stdout)


class Running:
    """Verbs that leave the machine running: one Debian for all of them."""

    def test_verbs(self):
        self.boot_debian()
        for name in sorted(dir(self)):
            if name.startswith('verb_'):
                with self.subTest(name):
                    getattr(self, name)()

    def verb_list(self):
        number = self.release.removeprefix('debian-')
        self.assertRegex(self.ctl('--no-legend', 'list'),
                         rf'(?m)^debian +container +(systemd-nspawn|spawn) +debian +{number} +192\.0\.2\.7')

    def verb_list_of_spawnctl(self):
        """It has machined's machines beside its own, each once."""
        own = self.program == 'spawn'
        unit = self.launch('busybox', '--detach', 'sleep', '1000', service_type='forking') if own else self.launch_busybox('busybox')
        rows = {m['machine']: m for m in json.loads(self.ok(self.systemd.enter('spawnctl', 'list', '--json')))}
        self.assertEqual(sorted(rows), ['busybox', 'debian'])
        debian, busybox = rows['debian'], rows['busybox']
        self.assertEqual((debian['class'], debian['state'], debian['leader'], debian['root'], debian['console']),
                         ('container', 'running', int(self.leader), '/var/lib/machines/debian', 'read-only' if own else ''))
        self.assertEqual((busybox['root'], busybox['console']), ('/var/lib/machines/busybox', 'detached' if own else ''))
        for row in debian, busybox:
            self.assertEqual(row['service'] == 'spawn', own)
        self.assertEqual((debian['os'], debian['version']), ('debian', self.release.removeprefix('debian-')))
        self.assertRegex(debian['addresses'], r'\A192\.0\.2\.7( fe80::\S+)?\Z')
        self.gone(unit, 'busybox')

    def verb_show_of_spawnctl(self):
        """Its own as machinectl shows them; machined's are machinectl's to show."""
        if self.program == 'spawn':
            theirs, ours = self.properties('machinectl', 'show', 'debian'), self.properties('spawnctl', 'show', 'debian')
            names = 'Name', 'Id', 'Unit', 'Leader', 'Class', 'RootDirectory', 'State'
            self.assertEqual([ours.get(n) for n in names], [theirs.get(n) for n in names])
            text = self.ok(self.systemd.enter('spawnctl', 'status', 'debian'))
            self.assertRegex(text, rf'Leader: {self.leader} \(systemd\)\n')
            self.assertRegex(text, r'Unit: machine-debian\.scope\n')
            self.assertRegex(text, r'OS: Debian GNU/Linux 1[23]')
            self.assertRegex(text, r'console-getty\.service')
            return
        for verb in 'status', 'show':
            p = self.systemd.enter('spawnctl', verb, 'debian')
            self.assertEqual(p.returncode, 125)
            self.assertIn('machinectl status debian shows it', p.stdout + (p.stderr or ''))

    def verb_status(self):
        text = self.ctl('status', 'debian')
        self.assertRegex(text, rf'Leader: {self.leader} \(systemd\)')
        self.assertRegex(text, r'Service: (systemd-nspawn|spawn); class container')
        self.assertRegex(text, r'Root: /var/lib/machines/debian\n')
        self.assertRegex(text, r'OS: Debian GNU/Linux 1[23]')
        self.assertRegex(text, r'Unit: machine-debian\.scope\n')
        self.assertRegex(text, r'Address: 192\.0\.2\.7\n')
        self.assertRegex(text, r'console-getty\.service')

    def verb_show(self):
        p = self.properties('machinectl', 'show', 'debian')
        self.assertEqual((p['Name'], p['Class'], p['RootDirectory'], p['State'], p['Unit']),
                         ('debian', 'container', '/var/lib/machines/debian', 'running', 'machine-debian.scope'))
        inside = self.ok(self.systemd.enter('cat', f'/proc/{self.leader}/root/etc/machine-id')).strip()
        self.assertEqual(p['Id'], inside)

    def verb_login(self):
        t = self.systemd.terminal('machinectl', 'login', 'debian')
        self.addCleanup(t.close)
        t.expect(rb'login: $')
        t.send(b'root\r')
        t.expect(rb'assword: ')
        t.send(b'root\r')
        t.expect(PROMPT)
        t.send(b'tty; systemd-detect-virt; hostname\r')
        t.expect(rb'[\r\n]/dev/pts/\d+\r\nsystemd-nspawn\r\ndebian\r\n')
        t.expect(PROMPT)
        t.send(b'\x1d\x1d\x1d')
        t.expect(rb'Connection to machine debian terminated')
        self.assertEqual(t.wait(), 0)
        self.assertEqual(t.modes(), t.before)
        # systemd restarts the getty of a terminal that hangs up, if the terminal is there: that of whoever gets its number next.
        self.ok(self.systemd.enter('systemctl', '-M', 'debian', 'stop', 'container-getty@*.service'))

    def verb_shell(self):
        t = self.systemd.terminal('machinectl', 'shell', 'debian')
        self.addCleanup(t.close)
        t.expect(PROMPT)
        t.send(b'echo "$(id -un) $PWD $(hostname)"\r')
        t.expect(rb'[\r\n]root /root debian\r\n')
        t.send(b'exit\r')
        t.expect(rb'Connection to machine debian terminated')
        self.assertEqual(t.wait(), 0)
        t = self.systemd.terminal('machinectl', '-q', 'shell', '--uid=daemon', '--setenv=X=y', 'debian', '/bin/sh', '-c', 'id -un; echo "X=$X"')
        self.addCleanup(t.close)
        t.expect(rb'daemon\r\nX=y\r\n')
        self.assertEqual(t.wait(), 0)

    def verb_kill(self):
        """systemd takes these two signals as a change of its log level."""
        def level():
            return self.ok(self.systemd.enter('systemctl', '-M', 'debian', 'log-level'))
        for signal, wanted in ('SIGRTMIN+22', 'debug\n'), ('SIGRTMIN+23', 'info\n'):
            self.ctl('kill', '--kill-whom=leader', f'--signal={signal}', 'debian')
            self.wait_for(lambda: level() == wanted, 5)

    def verb_copy(self):
        self.ok(self.systemd.enter('sh', '-ec', 'rm -rf /root/copy /root/back; mkdir -p /root/copy/d; echo inhalt >/root/copy/d/f;'
                                                'ln -s d/f /root/copy/l; chmod 0640 /root/copy/d/f'))
        self.ctl('copy-to', 'debian', '/root/copy', '/srv/copied')
        look = 'cd "$0"; stat -c "%A %u %g %n" d d/f; readlink l; cat l'
        shown = self.ok(self.systemd.enter('systemd-run', '-M', 'debian', '-q', '--pipe', '--wait', 'sh', '-ec', look, '/srv/copied'))
        self.assertEqual(shown, 'drwxr-xr-x 0 0 d\n-rw-r----- 0 0 d/f\nd/f\ninhalt\n')
        self.ctl('copy-from', 'debian', '/srv/copied', '/root/back')
        self.assertEqual(self.ok(self.systemd.enter('sh', '-ec', look, '/root/back')), shown)
        self.ctl('copy-from', 'debian', '/etc/hostname', '/root/one')
        self.assertEqual(self.ok(self.systemd.enter('cat', '/root/one')), 'debian\n')

    def verb_bind(self):
        self.ok(self.systemd.enter('sh', '-ec', 'mkdir -p /srv/shared; echo da >/srv/shared/f'))
        inside = ['systemd-run', '-M', 'debian', '-q', '--pipe', '--wait', 'sh', '-c']
        self.ctl('bind', '--mkdir', 'debian', '/srv/shared', '/mnt/a/b')
        self.ctl('bind', '--mkdir', '--read-only', 'debian', '/srv/shared', '/mnt/ro')
        p = self.systemd.enter(*inside, 'cat /mnt/a/b/f /mnt/ro/f; touch /mnt/a/b/new; touch /mnt/ro/new2 2>/dev/null; echo $?')
        self.assertEqual(p.stdout, 'da\nda\n1\n', p.stderr)
        self.assertEqual(self.ok(self.systemd.enter('ls', '/srv/shared')), 'f\nnew\n')
        self.ok(self.systemd.enter(*inside, 'umount /mnt/a/b /mnt/ro'))

    def verb_systemctl(self):
        self.ok(self.systemd.enter('systemctl', '-M', 'debian', 'is-active', 'systemd-journald'), r'^active')
        self.ok(self.systemd.enter('systemctl', '-M', 'debian', 'restart', 'systemd-journald'))
        # A getty that a hang-up has ended, as after ^]^]^], is a failed service to newer systemd.
        self.ok(self.systemd.enter('systemctl', 'list-machines', '--no-legend', '--no-pager'), r'debian +(running|degraded) +[01] +0')

    def verb_journalctl(self):
        text = self.ok(self.systemd.enter('journalctl', '-M', 'debian', '--no-pager', '-o', 'short'))
        self.assertRegex(text, r'debian systemd\[1\]: Reached target')
        self.assertNotIn('thehost', text)

    def verb_systemd_run(self):
        p = self.systemd.enter('systemd-run', '-M', 'debian', '-q', '--pipe', '--wait', 'sh', '-c', 'cat; hostname; exit 9', input='in\n')
        self.assertEqual((p.returncode, p.stdout), (9, 'in\ndebian\n'), p.stderr)

    def verb_loginctl(self):
        self.ok(self.systemd.enter('loginctl', '-M', 'debian', 'list-sessions'))
        self.ok(self.systemd.enter('loginctl', '-M', 'debian', 'show-seat', 'seat0'), 'Id=seat0')

    def verb_nss(self):
        self.ok(self.systemd.enter('getent', 'ahosts', 'debian'), r'192\.0\.2\.7')
        self.ok(self.systemd.enter('getent', 'hosts', 'debian'))

    def verb_cgls(self):
        text = self.ok(self.systemd.enter('systemd-cgls', '-M', 'debian', '--no-pager'))
        self.assertRegex(text, r'(Control group|CGroup) /machine\.slice/machine-debian\.scope')
        self.assertIn('systemd-journald.service', text)
        self.assertIn('init.scope', text)


class Ending:
    """Verbs that end a machine."""

    def test_poweroff_and_reboot(self):
        unit = self.boot_debian()
        self.ctl('reboot', 'debian')
        old = self.leader
        self.wait_for(lambda: (s := self.value('Leader')) and s != old, 30)
        self.up('debian')
        self.ctl('poweroff', 'debian')
        self.ended(unit, 'debian')

    def test_terminate(self):
        unit = self.boot_debian()
        self.ctl('terminate', 'debian')
        self.ended(unit, 'debian')

    def test_kill_all(self):
        unit = self.launch('busybox', 'sleep', '1000')
        self.ctl('kill', '--kill-whom=all', '--signal=SIGKILL', 'busybox')
        self.wait_for(lambda: 'busybox' not in self.names())
        self.wait_for(lambda: self.systemd.enter('systemctl', 'is-active', unit).stdout in ('failed\n', 'inactive\n'))

    def test_the_machine_daemon_restarts(self):
        """machined keeps what it knows in files: the machine is there after it comes back, and goes as ever."""
        unit = self.boot_debian()
        self.ok(self.systemd.enter('systemctl', 'kill', '-s', 'KILL', 'systemd-machined'))
        self.wait_for(lambda: self.value('State') == 'running')
        self.ctl('poweroff', 'debian')
        self.ended(unit, 'debian')

    def ended(self, unit, name):
        """In an orderly way: status 0, hence no failed unit."""
        self.wait_for(lambda: self.systemd.enter('systemctl', 'is-active', unit).stdout == 'inactive\n', 30,
                      lambda: self.systemd.enter('systemctl', 'status', unit).stdout)
        self.assertNotIn(name, self.names())


class Many:
    def test_twenty_at_once(self):
        names = [f'many-{i}' for i in range(20)]
        for name in names:
            self.systemd.add(name)
            self.addCleanup(self.systemd.remove, name)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda name: self.launch_busybox(name), names))
        self.assertEqual(sorted(self.names()), sorted(names))
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda name: self.systemd.enter('machinectl', 'terminate', name), names))
        self.wait_for(lambda: self.names() == [], 30)


def intended(what):
    """The differences that docs/machined.md tells of, as {property: reason}: the table below the heading WHAT."""
    text = (TOP / 'docs/machined.md').read_text()
    part = text.split(f'### {what}\n', 1)[1].split('\n#', 1)[0]
    return {m[1]: m[2] for m in re.finditer(r'(?m)^\| *`(\w+)` *\| *(\S.*?) *\|$', part)}


class SideBySide(Machines):
    """What the host shows of two containers, one by systemd-nspawn and one by the program under test."""

    def shown(self, program, name):
        self.program = program
        self.launch_busybox(name, '--private-network')
        machine = self.properties('machinectl', 'show', name)
        scope = self.properties('systemctl', 'show', machine['Unit'])
        return [{k: v.replace(name, 'NAME') for k, v in p.items() if not OF_ONE_CONTAINER.fullmatch(k)} for p in (machine, scope)]

    def compare(self, program):
        for name in 'left', 'right':
            self.systemd.add(name)
            self.addCleanup(self.systemd.remove, name)
        left, right = self.shown('systemd-nspawn', 'left'), self.shown(program, 'right')
        return [{k: (a.get(k), b.get(k)) for k in a.keys() | b.keys() if a.get(k) != b.get(k)} for a, b in zip(left, right)]

    def test_systemd_nspawn_with_itself(self):
        """So what follows is a difference of the programs."""
        self.assertEqual(self.compare('systemd-nspawn'), [{}, {}])

    def test_spawn(self):
        machine, scope = self.compare('spawn')
        for found, what in (machine, 'machinectl show'), (scope, 'systemctl show of the scope'):
            self.assertEqual({k: v for k, v in found.items() if k not in intended(what)}, {}, what)


class SideBySide13(SideBySide):
    release = 'debian-13'


class NspawnRunning(Running, Machines):
    pass


class NspawnEnding(Ending, Many, Machines):
    pass


class NspawnRunning13(Running, Machines):
    release = 'debian-13'


class NspawnEnding13(Ending, Many, Machines):
    release = 'debian-13'


class SpawnRunning(Running, Machines):
    program = 'spawn'


class SpawnEnding(Ending, Many, Machines):
    program = 'spawn'


class SpawnRunning13(Running, Machines):
    release, program = 'debian-13', 'spawn'


class SpawnEnding13(Ending, Many, Machines):
    release, program = 'debian-13', 'spawn'
