# SPDX-License-Identifier: LGPL-2.1-or-later
"""The three layouts of control groups that systemd sets up, each on a host with a kernel of its own: cgroup2 alone, cgroup2
beside the controllers of version 1 (hybrid), and version 1 alone."""
import re
import unittest

import harness
from host import Wait
from vm import Disks, VirtualHost

disks = None


def setUpModule():
    global disks
    disks = Disks()
    unittest.addModuleCleanup(disks.close)


class Layout:
    words = ()

    @classmethod
    def setUpClass(cls):
        cls.host = VirtualHost(disks, *cls.words)
        cls.addClassCleanup(cls.host.close)

    def setUp(self):
        self.before = self.look()
        self.addCleanup(self.compare)

    def look(self):
        """What the host has, and the options of its control groups."""
        return self.host.look() + self.ok('sh', '-c', 'grep cgroup /proc/1/mountinfo').splitlines()

    def compare(self):
        Wait(20).until(lambda: self.look() == self.before, lambda: f'left on the host: {set(self.look()) ^ set(self.before)}')

    def ok(self, *words, **kw):
        p = self.host.enter(*words, **kw)
        self.assertEqual(p.returncode, 0, p)
        return p.stdout

    def value(self, name, *words):
        return self.ok(*words, f'--property={name}', '--value').strip()

    def groups(self, pid):
        """{controllers: path} of a process, as the host sees it."""
        return {l.split(':')[1]: l.split(':', 2)[2] for l in self.ok('cat', f'/proc/{pid}/cgroup').splitlines()}

    def check_groups(self, unit_group, supervisor, leader):
        """Both are in the unit, whatever the hierarchy; and in cgroup2 the payload is apart from its supervisor."""
        ours, theirs = self.groups(supervisor), self.groups(leader)
        for name in 'pids', 'devices', 'name=systemd':
            if name in theirs:
                self.assertEqual((ours[name], theirs[name]), (unit_group, unit_group), name)
        self.assert_apart(unit_group, ours[''], theirs[''])

    def assert_apart(self, unit_group, ours, theirs):
        self.assertEqual(ours, f'{unit_group}/supervisor')
        self.assertRegex(theirs, f'^{unit_group}/payload(/|$)')

    def test_a_command(self):
        p = self.host.run('spawn', '-q', '-D', '/var/lib/machines/busybox', '--console=pipe', 'sh', '-c',
                          'cat /proc/self/cgroup; exit 7')
        self.assertEqual(p.returncode, 7, p)
        self.assertRegex(p.stdout, r'(?m)^0::/')

    def test_a_machine_in_its_scope(self):
        self.ok('spawn', '-q', '-M', 'busybox', '--detach', '--boot')
        try:
            self.assertRegex(self.ok('machinectl', 'list', '--no-legend'), '^busybox +container')
            unit = self.value('Unit', 'machinectl', 'show', 'busybox')
            leader = self.value('Leader', 'machinectl', 'show', 'busybox')
            group = self.value('ControlGroup', 'systemctl', 'show', unit)
            for name, path in self.groups(leader).items():
                if name in ('pids', 'devices', 'name=systemd'):
                    self.assertEqual(path, group)
            self.assertRegex(self.ok('spawnctl', 'list'), r'(?m)^busybox .*spawn')
            inside = self.ok('spawnctl', 'exec', 'busybox', '--', 'cat', '/proc/self/cgroup')
            self.assertRegex(inside, r'(?m)^0::/')
            self.assertGreater(int(self.value('TasksCurrent', 'systemctl', 'show', unit)), 0)
        finally:
            self.ok('spawnctl', 'poweroff', 'busybox')
            self.assertEqual(self.host.enter('spawnctl', 'wait', 'busybox').returncode, 0)

    def test_the_unit(self):
        """A Debian with systemd in it, from start to power-off."""
        try:
            self.ok('systemctl', 'start', 'spawn@debian', timeout=120)
            self.assertEqual(self.value('Unit', 'machinectl', 'show', 'debian'), 'spawn@debian.service')
            state = Wait(60).until(lambda: re.match('running|degraded',
                                                    self.host.enter('systemctl', '-M', 'debian', 'is-system-running', '--wait').stdout),
                                   lambda: self.ok('journalctl', '-u', 'spawn@debian', '--no-pager', '-n', '50'))
            self.assertEqual(state[0], 'running')
            main = self.value('MainPID', 'systemctl', 'show', 'spawn@debian')
            leader = self.value('Leader', 'machinectl', 'show', 'debian')
            self.check_groups(self.value('ControlGroup', 'systemctl', 'show', 'spawn@debian'), main, leader)
            self.ok('machinectl', 'poweroff', 'debian')
            Wait(30).until(lambda: self.host.enter('systemctl', 'is-active', 'spawn@debian').stdout == 'inactive\n',
                           lambda: self.ok('journalctl', '-u', 'spawn@debian', '--no-pager', '-n', '50'))
        finally:
            self.host.enter('systemctl', 'kill', '-s', 'KILL', 'spawn@debian')
            self.host.enter('systemctl', 'reset-failed')


class Unified(Layout, harness.TestCase):
    words = ('systemd.unified_cgroup_hierarchy=1',)


class Hybrid(Layout, harness.TestCase):
    words = ('systemd.unified_cgroup_hierarchy=0',)


class Legacy(Layout, harness.TestCase):
    words = ('systemd.unified_cgroup_hierarchy=0', 'systemd.legacy_systemd_cgroup_controller=1')

    def assert_apart(self, unit_group, ours, theirs):
        """The manager does not use cgroup2, so the payload's group there is below the root."""
        self.assertEqual(ours, '/')
        self.assertRegex(theirs, r'^/spawn-debian-\d+(/|$)')
