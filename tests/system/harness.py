# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the whole-program tests share: running spawn, a terminal of our own, and the host compared before and after."""

import ctypes
import fcntl
import hashlib
import os
import pathlib
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import termios
import time
import unittest

PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it runs in the background ignore it

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
SPAWN = os.environ.get('SPAWN', str(TOP / 'build/release/src/launcher/spawn'))
FAULT = str(TOP / 'build/fault/src/launcher/spawn')
ROOTS = pathlib.Path(os.environ.get('SPAWN_ROOTS', TOP / 'build/roots'))


def tree(name):
    path = ROOTS / name
    if not path.is_dir():
        raise AssertionError(f'the root {path} is missing: tests/run makes it')
    return path


def manifest(path, small=1 << 16):
    """What a tree holds: type, mode, owner, size, link target and the content of small files."""
    result = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            st = os.lstat(full)
            item = [stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid]
            if stat.S_ISLNK(st.st_mode):
                item.append(os.readlink(full))
            elif stat.S_ISREG(st.st_mode):
                item += [st.st_size, st.st_mtime_ns]
                if st.st_size <= small:
                    item.append(hashlib.sha256(pathlib.Path(full).read_bytes()).hexdigest())
            result[os.path.relpath(full, path)] = item
    return result


def changed(before, after):
    return {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}


def descendants():
    """The processes below this one, zombies aside. It is the subreaper, so whatever a killed spawn leaves behind stays
    below it, and other runs on the same host do not disturb."""
    parents, names = {}, {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            head, tail = pathlib.Path(f'/proc/{pid}/stat').read_text(errors='replace').rsplit(')', 1)
        except OSError:
            continue
        state, parent = tail.split()[:2]
        if state not in 'ZX':
            parents[int(pid)], names[int(pid)] = int(parent), head.split('(', 1)[1]

    def below(pid):
        while pid and pid != os.getpid():
            pid = parents.get(pid)
        return pid == os.getpid()
    return {pid: names[pid] for pid in parents if pid != os.getpid() and below(pid)}


def cgroups(ours):
    """The groups that spawn makes, but for those that hold processes of another run."""
    result = []
    for top in '/sys/fs/cgroup/unified', '/sys/fs/cgroup':
        if not os.path.exists(f'{top}/cgroup.procs'):
            continue
        for folder, folders, _ in os.walk(top):
            for name in [f for f in folders if f.startswith('spawn-')]:
                folders.remove(name)
                path = os.path.join(folder, name)
                members = set()
                for group, _, _ in os.walk(path):
                    try:
                        members |= set(map(int, pathlib.Path(group, 'cgroup.procs').read_text().split()))
                    except OSError:
                        pass
                if not members or members & ours.keys():
                    result.append(path)
    return sorted(result)


class Host:
    """The host's state, as far as a container could leave something in it."""

    @staticmethod
    def look():
        processes = descendants()
        # Without the overlays that copy() makes.
        mounts = sorted(l.split(' ', 3)[3] for l in open('/proc/self/mountinfo') if '/test-root-' not in l)
        return {
            'mounts': mounts,
            'links': sorted(os.listdir('/sys/class/net')),
            'loops': sorted(p for p in os.listdir('/sys/block') if os.path.exists(f'/sys/block/{p}/loop/backing_file')),
            'cgroups': cgroups(processes),
            'processes': sorted(processes.items()),
            'files': sorted(p for d in ('/run', '/tmp', '/var/tmp') for p in os.listdir(d) if 'spawn' in p or 'nspawn' in p),
        }


def wait_until(condition, what, timeout=10):
    """What CONDITION returns once it is true."""
    end = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f'not within {timeout} s: {what}')
        time.sleep(0.02)
    return result


class TestCase(unittest.TestCase):
    """Each test leaves the host as it found it."""

    def setUp(self):
        self.host = Host.look()
        self.addCleanup(self.compare_host)

    def compare_host(self):
        for _ in range(40):  # what is dying needs a moment to be gone
            now = Host.look()
            if now == self.host:
                return
            time.sleep(0.05)
        self.assertEqual(self.host, now)

    def copy(self, name):
        """A throw-away copy of a root: for busybox a real copy, for larger ones an overlay over the cached one."""
        work = pathlib.Path(tempfile.mkdtemp(prefix='test-root-', dir='/var/tmp'))
        target = work / name
        if name == 'busybox':
            shutil.copytree(tree(name), target, symlinks=True)
            self.addCleanup(shutil.rmtree, work)
        else:
            for d in 'upper', 'work', name:
                (work / d).mkdir()
            options = f'lowerdir={tree(name)},upperdir={work}/upper,workdir={work}/work'
            subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o', options, str(target)], check=True)
            self.addCleanup(shutil.rmtree, work)
            self.addCleanup(subprocess.run, ['umount', str(target)], check=True)
        return target

    def spawn(self, *words, input=b'', timeout=30, program=SPAWN, **kw):
        return subprocess.run([program, *map(str, words)], input=None if 'stdin' in kw else input, timeout=timeout,
                              stdout=kw.pop('stdout', subprocess.PIPE), stderr=kw.pop('stderr', subprocess.PIPE), **kw)

    def start(self, *words, **kw):
        p = subprocess.Popen([kw.pop('program', SPAWN), *map(str, words)], stdin=kw.pop('stdin', subprocess.DEVNULL),
                             stdout=kw.pop('stdout', subprocess.PIPE), stderr=kw.pop('stderr', subprocess.PIPE), **kw)

        def end():
            if p.poll() is None:
                p.kill()
            p.wait()
            for f in p.stdout, p.stderr, p.stdin:
                if f:
                    f.close()
        self.addCleanup(end)
        return p

    def terminal(self, *words, program=SPAWN, size=(33, 101)):
        t = Terminal([program, *map(str, words)], size)
        self.addCleanup(t.close)
        return t

    def refused(self, *words, status=125, says='spawn: ', program=SPAWN, **kw):
        """A refusal is one line and at most one hint, and has the documented status."""
        p = self.spawn(*words, program=program, **kw)
        text = p.stderr.decode()
        self.assertEqual(p.returncode, status, text)
        lines = text.splitlines()
        self.assertIn(len(lines), (1, 2), text)
        for line in lines:
            self.assertTrue(line.startswith('spawn: '), text)
        self.assertRegex(text, says)
        self.assertEqual(p.stdout, b'')
        return text


class Terminal:
    """A terminal and the program in it, as a person would have them."""

    def __init__(self, argv, size=(33, 101)):
        self.master, self.slave = os.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self.slave)
        self.output = self.everything = b''  # what has not been looked for yet, and all that came
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 256)
            os.environ['TERM'] = 'xterm'
            os.execv(argv[0], argv)
        self.status = None

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def pump(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
                self.output += data
                self.everything += data
            except OSError:
                pass

    def expect(self, pattern, timeout=60):
        """Waits for PATTERN; what comes up to its end is taken away. Returns the match."""
        end = time.monotonic() + timeout
        while not (m := re.search(pattern, self.output)):
            if time.monotonic() > end:
                raise AssertionError(f'{pattern} has not come: {self.output[-3000:]!r}')
            self.pump(0.2)
        self.output = self.output[m.end():]
        return m

    def send(self, text):
        os.write(self.master, text)

    def wait(self, timeout=30):
        """Waits for the end; returns the exit status, or minus the signal."""
        end = time.monotonic() + timeout
        while self.status is None:
            self.pump(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise AssertionError(f'still running: {self.output[-3000:]!r}')
        return self.status

    def modes(self):
        return termios.tcgetattr(self.slave)

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except OSError:
                pass
        os.close(self.master)
        os.close(self.slave)
