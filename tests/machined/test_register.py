# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options about registration, for systemd-nspawn (which proves the test) and for spawn; and hosts without machined."""
import time

import harness
from harness import ROOTS
from test_machinectl import Machines


class Options:
    processes = 2  # launcher and payload

    def test_slice_and_property(self):
        self.launch('busybox', '--slice=test.slice', '--property=TasksMax=77', '--property=Description=hello there', 'sleep', '1000')
        unit = self.properties('machinectl', 'show', 'busybox')['Unit']
        p = self.properties('systemctl', 'show', unit)
        self.assertEqual((p['Slice'], p['TasksMax'], p['Description']), ('test.slice', '77', 'hello there'))

    def test_keep_unit(self):
        unit = self.launch('busybox', '--keep-unit', 'sleep', '1000', properties=['Delegate=yes'])
        self.assertEqual(self.properties('machinectl', 'show', 'busybox')['Unit'], f'{unit}.service')
        self.assertEqual(self.ok(self.systemd.enter('systemctl', 'list-units', '--no-legend', '*busybox*.scope')), '')
        group = self.properties('systemctl', 'show', unit)['ControlGroup']
        shown = self.systemd.enter('sh', '-c', f'cd /sys/fs/cgroup{group}; cat cgroup.procs supervisor/cgroup.procs; cat payload/cgroup.procs')
        self.assertEqual(len(shown.stdout.split()), self.processes, shown)

    def test_not_registered(self):
        self.launch('busybox', '--register=no', 'sleep', '1000')
        self.assertEqual(self.names(), [])

    def test_neither_registered_nor_in_a_scope(self):
        unit = self.launch('busybox', '--register=no', '--keep-unit', 'sleep', '1000', properties=['Delegate=yes'])
        self.assertEqual(self.names(), [])
        self.assertEqual(self.ok(self.systemd.enter('systemctl', 'is-active', unit)), 'active\n')

    def test_ready_when_the_payload_is(self):
        self.launch('debian', '--notify-ready=yes', '-b')
        state = self.systemd.enter('systemctl', '-M', 'debian', 'is-system-running').stdout
        self.assertEqual(state, 'running\n')

    def test_the_scope_is_stopped(self):
        """systemd asks the launcher (RequestStop), which asks the container."""
        unit = self.launch_busybox('busybox')
        self.ok(self.systemd.enter('systemctl', 'stop', self.properties('machinectl', 'show', 'busybox')['Unit']))
        self.wait_for(lambda: self.systemd.enter('systemctl', 'is-active', unit).stdout == 'inactive\n')
        self.assertIn('busybox goes down', self.console(unit))

    def second(self):
        """A second container with the name of a running one."""
        self.systemd.add('other')
        self.addCleanup(self.systemd.remove, 'other')
        self.launch('busybox', 'sleep', '1000')
        leader = self.value('Leader', 'busybox')
        p = self.systemd.run(self.program, '-q', '-D', '/var/lib/machines/other', '-M', 'busybox', 'true')
        self.assertNotEqual(p.returncode, 0)
        self.assertEqual(self.value('Leader', 'busybox'), leader)
        return p.stdout + p.stderr

    def test_a_name_that_is_taken(self):
        self.second()

    def test_a_name_with_a_dash(self):
        """Which a unit's name has escaped."""
        self.systemd.add('a-b.c')
        self.addCleanup(self.systemd.remove, 'a-b.c')
        self.launch('a-b.c', 'sleep', '1000')
        self.ctl('status', 'a-b.c')
        self.assertEqual(self.names(), ['a-b.c'])
        self.ctl('terminate', 'a-b.c')
        self.wait_for(lambda: self.names() == [])


class NspawnOptions(Options, Machines):
    pass


class NspawnOptions13(NspawnOptions):
    release = 'debian-13'


class SpawnOptions(Options, Machines):
    program = 'spawn'
    processes = 3  # and the guardian

    def test_a_name_that_is_taken(self):
        self.assertRegex(self.second(), r'spawn: .*busybox')

    def test_a_machine_daemon_that_hangs(self):
        self.ok(self.systemd.enter('systemctl', 'start', 'systemd-machined'))
        self.ok(self.systemd.enter('systemctl', 'kill', '-s', 'STOP', 'systemd-machined'))
        try:
            begun = time.monotonic()
            p = self.systemd.run('spawn', '-q', '-D', '/var/lib/machines/busybox', 'sh', '-c', 'exit 6', timeout=60)
            self.assertEqual(p.returncode, 6, p.stderr)
            self.assertLess(time.monotonic() - begun, 30)
        finally:
            self.systemd.enter('systemctl', 'kill', '-s', 'CONT', 'systemd-machined')

    def test_the_bus_ends_and_comes_back(self):
        """The container runs on, is stopped as ever, and the next one is registered again."""
        unit = self.launch_busybox('busybox')
        self.ok(self.systemd.enter('systemctl', 'kill', '-s', 'KILL', 'dbus'))
        try:
            self.wait_for(lambda: 'the system bus has gone: busybox runs on' in self.console(unit))
            self.assertEqual(self.systemd.enter('systemctl', 'is-active', unit).stdout, 'active\n')
        finally:
            self.wait_for(lambda: self.systemd.enter('systemctl', 'start', 'dbus').returncode == 0)
        self.ok(self.systemd.enter('systemctl', 'stop', unit))
        self.assertIn('busybox goes down', self.console(unit))
        self.wait_for(lambda: self.names() == [])
        self.launch('busybox', 'sleep', '1000')
        self.assertEqual(self.names(), ['busybox'])


    def test_systemd_leaves_a_root_in_use_alone(self):
        """A tree that spawn runs is neither removed nor renamed nor started by systemd's programs, and the other way
        round. A read-only one can be started by both."""
        self.launch('busybox', 'sleep', '1000')
        for words in ['remove', 'busybox'], ['rename', 'busybox', 'renamed']:
            p = self.systemd.enter('machinectl', *words)
            self.assertEqual((p.returncode, 'busy' in p.stderr.lower()), (1, True), p)
        p = self.systemd.run('systemd-nspawn', '-q', '-D', '/var/lib/machines/busybox', '-M', 'second', 'true')
        self.assertEqual((p.returncode, 'busy' in p.stderr), (1, True), p)
        self.ctl('terminate', 'busybox')
        self.wait_for(lambda: self.names() == [])

    def test_a_root_that_systemd_uses(self):
        self.program = 'systemd-nspawn'
        self.launch('busybox', '--read-only', 'sleep', '1000')
        p = self.systemd.run('spawn', '-q', '-D', '/var/lib/machines/busybox', '-M', 'second', 'true')
        self.assertEqual(p.returncode, 125, p)
        self.assertRegex(p.stderr, r'^spawn: /var/lib/machines/busybox is in use by another program')
        p = self.systemd.run('spawn', '-q', '-D', '/var/lib/machines/busybox', '-M', 'second', '--read-only', 'true')
        self.assertEqual(p.returncode, 0, p)


class SpawnOptions13(SpawnOptions):
    release = 'debian-13'


class WithoutABus(harness.TestCase):
    """Where the tests run there is no systemd."""

    def test_register(self):
        for mode in 'auto', 'no':
            begun = time.monotonic()
            p = self.spawn('-q', '-D', ROOTS / 'busybox', f'--register={mode}', 'sh', '-c', 'exit 6')
            self.assertEqual((p.returncode, p.stderr), (6, b''), mode)
            self.assertLess(time.monotonic() - begun, 2)
        self.refused('-q', '-D', ROOTS / 'busybox', '--register=yes', 'true', says='spawn: .*(bus|machined)')
