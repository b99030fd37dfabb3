# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host with systemd as PID 1, for the tests of what spawn does with machined and in units.

The host is a Debian with systemd-container that spawn itself boots. Nothing beyond all capabilities and a network of its
own is needed for systemd, logind, machined and systemd-nspawn to run in it: what they write to of /sys is the cgroup2
that every container has, and of /proc/sys nothing. (Writable API file systems would let its systemd-sysctl change the
machine that the tests run on.)"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import harness
from harness import SPAWN, TOP, Terminal, tree

UNITS = TOP / 'units'
SERVICE = '/run/systemd/system'  # where the units under test are in the host

# What a container, or the launcher of one, could leave on the host.
LOOK = r'''
machinectl --no-legend list
systemctl list-units --all --plain --no-legend --no-pager --full | awk '$3 != "inactive" { print $1, $3, $4 }' |
        grep -E 'failed|[.]scope|[.]mount|spawn|machine' |
        grep -vE '^(session-.*|init)[.]scope|systemd-machined|^machine[.]slice|^machines[.]target|^run-credentials'
find /sys/fs/cgroup -type d '(' -path '*/machine.slice/*' -o -name '*spawn*' ')'
cut -d' ' -f4- /proc/1/mountinfo | sed 's/ \(shared\|master\):[0-9]*//g' | grep -v /run/credentials/
ip -o link | sed 's/:.*mtu/ mtu/; s/^[0-9]* //'
find /run/systemd/machines /run/systemd/nspawn /run/systemd/transient -mindepth 1 '(' ! -type d -o -path '*/propagate/*' ')'
find /run /tmp /var/tmp /var/lib/machines -maxdepth 1 -name '*spawn*' -o -maxdepth 1 -name '.#*'
ps -eo pidns,args --no-headers | awk -v ns="$(ps -o pidns= 1)" '$1 > 0 && $1 != ns' | grep -vE ' ps -(eo|o) pidns|<defunct>'
ps -eo comm --no-headers | grep -E 'spawn'
'''


class Wait:
    """Tries again until it is true: for what a bus call sets off but does not wait for."""

    def __init__(self, seconds=20):
        self.end = time.monotonic() + seconds

    def until(self, what, message='it has not come to pass'):
        while not (result := what()):
            if time.monotonic() > self.end:
                raise AssertionError(message() if callable(message) else message)
            time.sleep(0.05)
        return result


class Host:
    """What is done on a host with systemd, by way of enter(), which runs a command there and gives a CompletedProcess."""

    def run(self, *words, properties=(), **kw):
        """Runs a command as a service of the host."""
        return self.enter('systemd-run', '--quiet', '--pipe', '--wait', '--collect', *(f'--property={p}' for p in properties),
                          '--', *words, **kw)

    def background(self, unit, *words, properties=(), service_type='notify', timeout=90):
        """Starts a command as the service UNIT of the host, and waits until it says that it is up."""
        return self.enter('systemd-run', '--quiet', '--collect', f'--unit={unit}', f'--service-type={service_type}',
                          *(f'--property={p}' for p in properties), '--', *words, timeout=timeout)

    def look(self):
        text = self.enter('sh', '-c', LOOK).stdout
        return sorted(set(text.splitlines()))


class SystemdHost(Host):
    def __init__(self, release):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='test-root-', dir='/var/tmp'))
        self.mounted = []
        self.process = None
        self.log = self.work / 'console'
        self.machines = self.work / 'machines'
        self.machines.mkdir()
        try:
            self.root = self.overlay(f'{release}-host', self.work / 'host')
            (self.root / 'etc/hostname').write_text('thehost\n')
            # With all capabilities it takes the kernel's modules for its own business.
            (self.root / 'etc/systemd/system/systemd-modules-load.service').symlink_to('/dev/null')
            debian = self.overlay(release, self.machines / 'debian')
            (debian / 'var/log/journal').mkdir(exist_ok=True)  # where journalctl -M finds it
            self.add('busybox')
            self.boot()
        except BaseException:
            self.close()
            raise

    def overlay(self, name, target):
        parts = self.work / f'layers-{name}'
        for d in parts / 'upper', parts / 'work', target:
            d.mkdir(parents=True)
        subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o',
                        f'lowerdir={tree(name)},upperdir={parts}/upper,workdir={parts}/work', target], check=True)
        self.mounted.append(target)
        return target

    def add(self, name):
        """Another machine: a copy of the busybox root."""
        shutil.copytree(tree('busybox'), self.machines / name, symlinks=True)

    def remove(self, name):
        shutil.rmtree(self.machines / name)

    def boot(self):
        binds = [f'--bind={self.machines}:/var/lib/machines', f'--bind-ro={SPAWN}:/usr/local/bin/spawn',
                 f'--bind-ro={pathlib.Path(SPAWN).parents[1]}/tools/spawnctl:/usr/local/bin/spawnctl',
                 *(f'--bind={p}' for p in sorted(pathlib.Path('/dev').glob('loop*')))]
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen([SPAWN, '-q', '-D', self.root, '-M', f'host-{os.getpid()}', '-b', '--capability=all',
                                             '--private-network', *binds],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.find_leader()

    def find_leader(self):
        def leader():
            if self.process.poll() is not None:
                raise AssertionError('the host has not come up: ' + self.log.read_text(errors='replace')[-3000:])
            pid = self.process.pid
            for child in pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split():
                try:
                    if pathlib.Path(f'/proc/{child}/comm').read_text() == 'systemd\n' and \
                            os.path.exists(f'/proc/{child}/root/run/dbus/system_bus_socket'):
                        return child
                except OSError:
                    pass
        self.leader = Wait(60).until(leader, lambda: self.log.read_text(errors='replace')[-3000:])
        p = Wait(60).until(lambda: (p := self.enter('systemctl', 'is-system-running', '--wait')).stdout and p)
        if p.stdout != 'running\n':
            raise AssertionError(p.stdout + self.enter('systemctl', '--failed', '--no-pager').stdout)

    def inside(self, *words):
        return ['nsenter', '-t', self.leader, '-a', '--', *map(str, words)]

    def enter(self, *words, input='', timeout=60):
        """Runs a command in the host's namespaces, but in the caller's cgroup: for what only talks over the bus."""
        return subprocess.run(self.inside(*words), input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors='replace', timeout=timeout)

    def terminal(self, *words):
        """A command in a terminal, in a scope of the host."""
        return Terminal(['/usr/bin/' + (w := self.inside('systemd-run', '--quiet', '--scope', '--collect', '--', *words))[0],
                         *w[1:]])

    def install(self, **files):
        """Makes units known to the host: {name: text}, or None for the text of the unit of that name in this project."""
        folder = pathlib.Path(f'/proc/{self.leader}/root{SERVICE}')
        for name, text in files.items():
            text = text or (UNITS / f'{name}.in').read_text().replace('@bindir@', '/usr/local/bin').replace('@sysconfdir@', '/etc')
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        self.enter('systemctl', 'daemon-reload')

    def uninstall(self, name):
        pathlib.Path(f'/proc/{self.leader}/root{SERVICE}', name).unlink()
        self.enter('systemctl', 'daemon-reload')

    def reboot(self):
        self.enter('systemctl', 'reboot')
        old = self.leader
        Wait(60).until(lambda: not os.path.exists(f'/proc/{old}'))
        self.find_leader()

    def poweroff(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError('the host does not power off: ' + self.log.read_text(errors='replace')[-3000:])

    def close(self):
        try:
            self.poweroff()
        finally:
            for target in reversed(self.mounted):
                subprocess.run(['umount', target], check=True)
            shutil.rmtree(self.work)


def outside(processes=False):
    """The machine that the tests run on, without what goes on in the host (which does not see its /run and /tmp) and in
    the hosts of other runs."""
    state = harness.Host.look()
    del state['files']
    state['mounts'] = [m for m in state['mounts'] if '.partial/' not in m]  # of roots that are being made meanwhile
    state['cgroups'] = [c for c in state['cgroups'] if f'host-{os.getpid()}' in c]
    if not processes:
        del state['processes']
    return state


class TestCase(harness.TestCase):
    """One host for a class; after each test the host is as it was, and so is the machine that it runs on."""

    release = 'debian-12'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        before = outside(True)
        cls.addClassCleanup(cls.compare_outside, before)
        cls.systemd = SystemdHost(cls.release)
        cls.addClassCleanup(cls.systemd.close)

    @classmethod
    def compare_outside(cls, before):
        Wait(5).until(lambda: outside(True) == before,
                      lambda: f'left behind: {[(k, v, before[k]) for k, v in outside(True).items() if v != before[k]]}')

    def setUp(self):
        self.host = outside()
        self.inner = self.systemd.look()
        self.addCleanup(self.compare_host)

    def compare_host(self):
        end = time.monotonic() + 5
        while (now := self.systemd.look()) != self.inner and time.monotonic() < end:
            time.sleep(0.1)
        if now != self.inner:
            self.fail('left on the host: ' + '\n'.join([f'+ {l}' for l in now if l not in self.inner] +
                                                       [f'- {l}' for l in self.inner if l not in now]))
        self.assertEqual(self.host, outside())

    def ok(self, p, text=None, message=None):
        self.assertEqual(p.returncode, 0, (p.args, p.stdout, p.stderr))
        if text is not None:
            self.assertRegex(p.stdout, text, message)
        return p.stdout

    def properties(self, *words):
        """NAME=VALUE lines as a dictionary."""
        return dict(l.split('=', 1) for l in self.ok(self.systemd.enter(*words)).splitlines() if re.match(r'\w+=', l))

    def wait_for(self, what, seconds=20, message='it has not come to pass'):
        return Wait(seconds).until(what, message)
