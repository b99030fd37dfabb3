# SPDX-License-Identifier: LGPL-2.1-or-later
"""The unit template. The same tests run on systemd-nspawn's own template (without what its host would have to have for
it: a user namespace and a veth), which proves them, and on spawn@.service."""

import subprocess

import host
import images

PLAIN = '''[Service]
ExecStart=
ExecStart=systemd-nspawn --quiet --keep-unit --boot --settings=override --machine=%i
'''


class Units:
    template, files = 'systemd-nspawn', {'systemd-nspawn@.service.d/plain.conf': PLAIN}
    supervisors = 1

    def setUp(self):
        super().setUp()
        self.unit = f'{self.template}@debian.service'
        self.systemd.install(**self.files)
        self.addCleanup(self.settle)

    def settle(self):
        """Nothing of it is loaded, whatever the test has come to."""
        self.systemd.enter('systemctl', 'stop', self.unit)
        self.systemd.enter('systemctl', 'disable', self.unit)
        self.systemd.enter('systemctl', 'reset-failed', self.unit)

    def ctl(self, *words, **kw):
        return self.ok(self.systemd.enter('systemctl', '--no-pager', *words, **kw))

    def show(self, name):
        return self.ctl('show', self.unit, '-p', name, '--value').strip()

    def up(self):
        self.wait_for(lambda: self.systemd.enter('systemctl', '-M', 'debian', 'is-system-running').stdout == 'running\n', 40,
                      lambda: self.systemd.enter('systemctl', 'status', self.unit).stdout)

    def start(self):
        self.ctl('start', self.unit)
        self.assertEqual(self.show('ActiveState'), 'active')
        self.up()

    def down(self):
        self.wait_for(lambda: self.show('ActiveState') == 'inactive', 30, lambda: self.ctl('status', self.unit))
        self.assertEqual(self.show('Result'), 'success')

    def test_start_and_stop(self):
        self.start()
        p = self.properties('machinectl', 'show', 'debian')
        self.assertEqual((p['Unit'], p['State']), (self.unit, 'running'))
        # The payload's processes are never in the launcher's group.
        group = self.show('ControlGroup')
        procs = self.systemd.enter('sh', '-c', f'cd /sys/fs/cgroup{group}; cat cgroup.procs; cat supervisor/cgroup.procs').stdout.split()
        self.assertEqual((procs[0], len(procs)), (self.show('MainPID'), self.supervisors))
        self.assertNotIn('blob data', self.ok(self.systemd.enter('journalctl', '-u', self.unit, '--no-pager')))
        self.ctl('stop', self.unit)
        self.down()
        # Orderly: the container's own journal tells of its shutdown.
        text = self.ok(self.systemd.enter('journalctl', '-D', '/var/lib/machines/debian/var/log/journal', '--no-pager', '-n', '200'))
        self.assertRegex(text, r'systemd-shutdown|Reached target (poweroff|halt|shutdown|umount|final)\.target|Shutting down\.')

    def test_restart(self):
        self.start()
        first = self.show('MainPID')
        self.ctl('restart', self.unit)
        self.up()
        self.assertNotEqual(self.show('MainPID'), first)

    def test_reboot_and_poweroff_from_inside(self):
        self.start()
        old = self.show('InvocationID')
        leader = self.properties('machinectl', 'show', 'debian')['Leader']
        self.systemd.enter('systemctl', '-M', 'debian', 'reboot')
        self.wait_for(lambda: (s := self.systemd.enter('machinectl', 'show', 'debian', '-p', 'Leader', '--value').stdout.strip())
                      and s != leader, 40)
        self.up()
        self.assertEqual(self.show('ActiveState'), 'active')
        self.assertNotEqual(self.show('InvocationID'), old)  # by way of status 133
        self.systemd.enter('systemctl', '-M', 'debian', 'poweroff')
        self.down()

    def test_the_launcher_is_killed(self):
        self.start()
        self.ctl('kill', '--kill-who=main', '--signal=SIGKILL', self.unit)
        self.wait_for(lambda: self.show('ActiveState') == 'failed', 30)
        self.assertEqual(self.show('Result'), 'signal')
        self.after_a_kill()
        self.start()  # and it can be started again at once

    def after_a_kill(self):
        pass

    def test_enabled_by_way_of_the_target(self):
        self.ctl('enable', self.unit)
        self.addCleanup(self.ctl, 'stop', 'machines.target')
        self.ctl('restart', 'machines.target')
        self.up()
        self.assertEqual(self.show('ActiveState'), 'active')
        self.ctl('stop', 'machines.target')
        self.down()
        self.ctl('disable', self.unit)

    def test_a_drop_in(self):
        self.systemd.install(**{f'{self.unit}.d/more.conf': '[Service]\nEnvironment=X=y\nTasksMax=5000\n'})
        self.addCleanup(self.systemd.uninstall, f'{self.unit}.d/more.conf')
        self.start()
        self.assertEqual(self.show('TasksMax'), '5000')

    def test_settings_of_the_instance(self):
        """In its own file, which a unit lets win over what its command line says."""
        script = 'mkdir -p /etc/systemd/nspawn; printf "[Exec]\\nEnvironment=A=1\\n[Files]\\nBind=/srv:/mnt\\n" >/etc/systemd/nspawn/debian.nspawn'
        self.ok(self.systemd.enter('sh', '-c', script))
        self.addCleanup(self.systemd.enter, 'rm', '-r', '/etc/systemd/nspawn')
        self.start()
        p = self.systemd.enter('systemd-run', '-q', '-M', 'debian', '--pipe', '--wait', 'sh', '-c', 'cat /proc/1/environ; findmnt -n /mnt')
        self.assertIn('A=1', self.ok(p).split('\0'))
        self.assertIn('/mnt', p.stdout.split('\0')[-1])
        self.ctl('stop', self.unit)
        self.down()


class NspawnUnits(Units, host.TestCase):
    pass


class NspawnUnits13(NspawnUnits):
    release = 'debian-13'

    def after_a_kill(self):
        # Since 256 it leaves a mount behind and then refuses to start.
        self.ok(self.systemd.enter('umount', '/run/systemd/nspawn/unix-export/debian'))


class SpawnTemplate(host.TestCase):
    """What can be said of the template without starting it."""

    def test_verified(self):
        self.systemd.install(**{'spawn@.service': None})
        p = self.systemd.enter('systemd-analyze', 'verify', '--man=no', 'spawn@debian.service')
        self.assertEqual((p.returncode, p.stderr), (0, ''))
        shown = self.properties('systemctl', 'show', 'spawn@debian.service')
        theirs = self.properties('systemctl', 'show', 'systemd-nspawn@debian.service')
        for name in 'Type KillMode Slice Delegate TasksMax WatchdogUSec DevicePolicy DeviceAllow SuccessExitStatus RestartForceExitStatus'.split():
            self.assertEqual(shown[name], theirs[name], name)

    def test_the_drop_in_for_machinectl(self):
        self.systemd.install(**{'systemd-nspawn@.service.d/spawn.conf': None})
        self.addCleanup(self.systemd.uninstall, 'systemd-nspawn@.service.d/spawn.conf')
        p = self.systemd.enter('systemd-analyze', 'verify', '--man=no', 'systemd-nspawn@debian.service')
        self.assertEqual((p.returncode, p.stderr), (0, ''))
        shown = self.properties('systemctl', 'show', 'systemd-nspawn@debian.service')['ExecStart']
        self.assertIn('path=/usr/local/bin/spawn ;', shown)
        self.assertNotIn('systemd-nspawn ', shown)


class SpawnTemplate13(SpawnTemplate):
    release = 'debian-13'


class SpawnUnits(Units, host.TestCase):
    template, files = 'spawn', {'spawn@.service': None}
    supervisors = 2  # and the guardian

    def test_a_disk_image(self):
        image = images.file_system(self.systemd.machines / 'disk.raw', 'ext4', host.tree('busybox'), 24 << 20)
        self.addCleanup(image.unlink)
        self.unit = 'spawn@disk.service'
        self.ctl('start', self.unit)
        p = self.properties('machinectl', 'show', 'disk')
        self.assertEqual((p['Unit'], p['State'], p['Class']), (self.unit, 'running', 'container'))
        self.assertIn('/dev/loop', self.ok(self.systemd.enter('sh', '-c', f'head -1 /proc/{p["Leader"]}/mountinfo')))
        self.ctl('restart', self.unit)
        self.ctl('stop', self.unit)
        self.down()
        self.assertEqual(subprocess.run(['e2fsck', '-fn', image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode, 0)

    def test_options_of_the_instance(self):
        script = 'mkdir -p /etc/spawn; echo OPTIONS=\\"--console=read-only --setenv=A=1\\" >/etc/spawn/debian.conf'
        self.ok(self.systemd.enter('sh', '-c', script))
        self.addCleanup(self.systemd.enter, 'rm', '-r', '/etc/spawn')
        self.start()
        shown = self.ok(self.systemd.enter('systemd-run', '-q', '-M', 'debian', '--pipe', '--wait', 'cat', '/proc/1/environ'))
        self.assertIn('A=1', shown.split('\0'))
        self.ctl('stop', self.unit)
        self.down()


    def test_all_of_it_is_killed(self):
        """Supervisor, guardian and payload in one instant: what nobody could tidy up, --cleanup of the unit does."""
        self.start()
        self.ctl('kill', '--kill-who=all', '--signal=SIGKILL', self.unit)
        self.wait_for(lambda: self.show('ActiveState') == 'failed', 30)
        self.assertEqual(self.ok(self.systemd.enter('find', '/run/systemd/nspawn', '-mindepth', '2')), '')
        self.start()
        p = self.systemd.run('spawn', '--cleanup', '-M', 'debian')
        self.assertRegex(p.stderr, r'^spawn: the machine debian runs \(process \d+\)')
        self.ctl('stop', self.unit)
        self.down()


class SpawnUnits13(SpawnUnits):
    release = 'debian-13'


class SpawnByDropIn(Units, host.TestCase):
    """machinectl start, with the documented drop-in."""
    files = {'systemd-nspawn@.service.d/spawn.conf': None}
    supervisors = 2
    test_restart = test_a_drop_in = test_the_launcher_is_killed = None  # nothing in these is the drop-in's

    def start(self):
        self.ok(self.systemd.enter('machinectl', 'start', 'debian'))
        self.assertIn('/usr/local/bin/spawn', self.show('ExecStart'))
        self.up()
