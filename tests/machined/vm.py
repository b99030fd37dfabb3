# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host with systemd on a kernel of its own, in qemu without any help of the processor: for what the kernel's command
line decides, which layout of control groups systemd sets up, and on another kernel than that of the machine.

Its first serial line is the kernel's console, its second one a root shell that commands are sent to."""

import pathlib
import shlex
import shutil
import socket
import subprocess
import tempfile

from harness import SPAWN, tree
from host import UNITS, Host, Wait

SHELL = '''[Unit]
# Not interactive: its standard error is the journal.
After=dbus.socket

[Service]
ExecStart=/bin/sh -c 'exec </dev/ttyS1 >/dev/ttyS1; stty raw -echo; exec sh'

[Install]
WantedBy=multi-user.target
'''


def executable(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


class Disks:
    """What every such host reads, and none of them changes: a root, and one for a container, /var/lib/machines/debian."""

    def __init__(self, release='debian-12'):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='test-root-', dir='/var/tmp'))
        try:
            self.root = self.image('root', tree(f'{release}-host'), self.fill)
            self.debian = self.image('debian', tree(release), lambda root: None)
        except BaseException:
            self.close()
            raise

    def image(self, name, lower, fill):
        image, root, upper = self.work / f'{name}.img', self.work / name, self.work / f'{name}.upper'
        for d in root, upper / 'upper', upper / 'work':
            d.mkdir(parents=True)
        subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o',
                        f'lowerdir={lower},upperdir={upper}/upper,workdir={upper}/work', root], check=True)
        try:
            fill(root)
            subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-d', root, image, '1G'], check=True)
        finally:
            subprocess.run(['umount', root], check=True)
        return image

    def fill(self, root):
        executable(SPAWN, root / 'usr/local/bin/spawn')
        executable(pathlib.Path(SPAWN).parents[1] / 'tools/spawnctl', root / 'usr/local/bin/spawnctl')
        units = root / 'etc/systemd/system'
        (units / 'shell.service').write_text(SHELL)
        (units / 'multi-user.target.wants').mkdir(exist_ok=True)
        (units / 'multi-user.target.wants/shell.service').symlink_to(units / 'shell.service')
        unit = (UNITS / 'spawn@.service.in').read_text()
        (units / 'spawn@.service').write_text(unit.replace('@bindir@', '/usr/local/bin').replace('@sysconfdir@', '/etc'))
        for name in 'serial-getty@ttyS0.service', 'getty@tty1.service':  # there is no udev to tell of the devices
            (units / name).symlink_to('/dev/null')
        machines = root / 'var/lib/machines'
        shutil.copytree(tree('busybox'), machines / 'busybox', symlinks=True)
        (machines / 'debian').mkdir()

    def close(self):
        shutil.rmtree(self.work)


class VirtualHost(Host):
    def __init__(self, disks, *words):
        """A host whose kernel is started with WORDS on its command line."""
        kernel = tree('kernel')
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='test-root-', dir='/var/tmp'))
        self.log = self.work / 'console'
        self.process = self.socket = None
        try:
            server = socket.socket(socket.AF_UNIX)
            server.bind(str(self.work / 'shell'))
            server.listen()
            self.process = subprocess.Popen(
                ['qemu-system-x86_64', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1024', '-display', 'none',
                 '-nodefaults', '-no-reboot', '-snapshot', '-kernel', kernel / 'vmlinuz', '-initrd', kernel / 'initrd',
                 '-drive', f'file={disks.root},if=virtio,format=raw', '-drive', f'file={disks.debian},if=virtio,format=raw',
                 '-serial', f'file:{self.log}', '-serial', f'unix:{self.work}/shell',
                 '-append', ' '.join(['console=ttyS0 rw panic=-1 systemd.show_status=1', *words])],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            server.settimeout(20)
            self.socket = server.accept()[0]
            server.close()
            self.wait_for_shell()
        except BaseException:
            self.close()
            raise

    def wait_for_shell(self):
        Wait(120).until(lambda: self.log.exists() and b'Started' in self.log.read_bytes() and self.answers(), self.console)
        p = self.enter('systemctl', 'is-system-running', '--wait', timeout=120)
        if p.stdout != 'running\n':
            raise AssertionError(p.stdout + self.enter('systemctl', '--failed', '--no-pager').stdout)

    def answers(self):
        """Whether the shell is there: what is sent earlier is lost, or comes late."""
        self.socket.settimeout(1)
        try:
            self.socket.sendall(b'\necho shell is there\n')
            while b'shell is there\n' not in self.socket.recv(4096):
                pass
            self.socket.settimeout(0.5)
            while self.socket.recv(4096):
                pass
        except TimeoutError:
            return self.socket.gettimeout() == 0.5
        raise AssertionError(self.console())

    def console(self):
        return self.log.read_text(errors='replace')[-3000:]

    def enter(self, *words, input='', timeout=60):
        command = shlex.join(map(str, words))
        self.socket.settimeout(timeout)
        self.socket.sendall(f'printf %s {shlex.quote(input)} | {command} >/run/out 2>/run/err; '
                            'echo $? $(stat -c %s /run/out /run/err); cat /run/out /run/err\n'.encode())
        with self.socket.makefile('rb') as answer:
            status, out, err = map(int, answer.readline().split())
            return subprocess.CompletedProcess(words, status, answer.read(out).decode(errors='replace'),
                                               answer.read(err).decode(errors='replace'))

    def close(self):
        if self.process:
            self.process.kill()  # all it could write to is temporary
            self.process.wait()
        if self.socket:
            self.socket.close()
        shutil.rmtree(self.work)
