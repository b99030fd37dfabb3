# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values that options refuse and accept, at the program's own surface."""
import os
import pathlib
import subprocess
import tempfile

from harness import FAULT, ROOTS, SPAWN, TestCase, changed, manifest

BB = ROOTS / 'busybox'

MALFORMED = {
    'machine': ['-a', 'a/b', 'a..b', 'a' * 65, 'ü', 'a\nb'],
    'hostname': ['a b', '.a', 'a' * 65],
    'uuid': ['0' * 32, '1' * 31, '1' * 33, 'g' * 32],
    'uid': ['', '-1', '4294967295', '4294967296', '1x'],
    'chdir': ['', 'relative', '/a/../b'],
    'setenv': ['', '=x', '1A=b', 'A-B=c'],
    'bind': ['relative:/x', '/etc:relative', '/etc:/a/../b', '/etc:/a:idmap=', '/etc:/a:rbind,nosuch'],
    'tmpfs': ['', 'relative', '/a/../b'],
    'inaccessible': ['', 'relative'],
    'rlimit': ['', 'NOSUCH=1', 'NOFILE', 'NOFILE=', 'NOFILE=2:1', 'NOFILE=-1', 'NOFILE=1:2:3', 'NOFILE=99999999999999999999'],
    'oom-score-adjust': ['', '1001', '-1001', '12x', '0x10'],
    'cpu-affinity': ['', 'x', '3-1', '0-', '99999999999'],
    'personality': ['', 'pdp11'],
    'kill-signal': ['', '0', '-1', '99', 'SIGNOPE', 'SIGRTMIN+99'],
    'stop-timeout': ['', '-1', '1parsec', '99999999999999999999'],
    'capability': ['CAP_NOPE', '64', '-1'],
    'drop-capability': ['nope'],
    'ambient-capability': ['nope'],
    'no-new-privileges': ['', 'perhaps'],
    'system-call-filter': ['~@nosuchgroup'],
    'console': ['', 'tv'],
    'resolv-conf': ['', 'maybe', 'copy'],
    'timezone': ['', 'maybe'],
    'explain': ['xml'],
    'fstab': ['', '/no/such/file'],
}

RESOLV_CONF = ['off', 'auto', 'delete', *(f'{way}-{source}' for way in ('copy', 'replace', 'bind')
                                          for source in ('host', 'static', 'uplink', 'stub'))]


class Values(TestCase):
    def test_every_malformed_value_is_refused_in_a_line(self):
        for option, values in MALFORMED.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    text = self.refused('-D', BB, f'--{option}={value}', 'true')
                    # The option's name, or for what another file says, the word itself.
                    self.assertTrue(option in text or value.lstrip('~') in text, text)

    def test_help_lists_each_choice_once(self):
        for option, words in ('resolv-conf', RESOLV_CONF), ('console', ['interactive', 'read-only', 'passive', 'pipe', 'autopipe']):
            p = self.spawn(f'--{option}=help')
            self.assertEqual((p.returncode, sorted(p.stdout.decode().split())), (0, sorted(words)))

    def test_a_root_by_the_machine_s_name(self):
        self.refused('-M', 'no-such-machine-here', 'true', says='there is no machine no-such-machine-here')
        name, place = 'spawn-test-machine', pathlib.Path('/run/machines')
        made = not place.exists()
        place.mkdir(exist_ok=True)
        try:
            (place / name).symlink_to(BB)
            p = self.spawn('-q', '-M', name, 'hostname')
            self.assertEqual((p.returncode, p.stdout), (0, name.encode() + b'\n'), p.stderr)
            (place / name).unlink()
            (place / f'{name}.raw').touch()
            self.refused('-M', name, 'true', says=f'disk image /run/machines/{name}.raw')
        finally:
            for p in place / name, place / f'{name}.raw':
                p.unlink(missing_ok=True)
            if made:
                place.rmdir()

    def test_the_working_directory_as_root(self):
        p = self.spawn('-q', 'hostname', cwd=BB)
        self.assertEqual((p.returncode, p.stdout), (0, b'busybox\n'), p.stderr)
        with tempfile.TemporaryDirectory() as d:
            self.refused('true', cwd=d, says='no root is given')
            self.assertEqual(os.listdir(d), [])

    def test_what_needs_a_bus_is_refused_without_one(self):
        if os.path.exists('/run/dbus/system_bus_socket'):
            self.skipTest('there is a system bus')
        for word in '--register=yes', '--slice=a', '--property=MemoryMax=1G':
            self.refused('-D', BB, word, 'true', says=f'no system bus here, and {word.split("=")[0]}')
        self.refused('-D', BB, '--register=no', '--slice=a', 'true', says='--slice needs a scope')
        for words in ['--register=auto'], ['--keep-unit', '--register=no'], ['--keep-unit', '--slice=a']:
            self.assertEqual(self.spawn('-q', '-D', BB, *words, 'true').returncode, 0)

    def test_missing_arguments_and_strange_words(self):
        self.refused('-D', says='-D')
        self.refused('--directory', says='--directory')
        self.refused('--boot=yes', says='--boot')
        self.refused('-D', BB, '-!', 'true', says='-!')
        self.refused('--zzz', says='--zzz')
        self.refused('', says='.')

    def test_options_of_another_program_are_named(self):
        for words in ['--template=/x'], ['-x', '-D', BB], ['--private-users=pick', '-D', BB], ['--network-veth', '-D', BB], ['-n', '-D', BB]:
            with self.subTest(words=words):
                self.refused(*words, 'true', says='not supported')
        # What asks for nothing else than what happens anyway is taken.
        p = self.spawn('-q', '-D', BB, '--register=no', '--keep-unit', '--settings=no', '--private-users=no', '--link-journal=no', 'true')
        self.assertEqual(p.returncode, 0, p.stderr)

    def test_every_resolv_conf_mode(self):
        for mode in RESOLV_CONF:
            root = self.copy('busybox')
            (root / 'etc/resolv.conf').write_text('mine')
            before = manifest(root)
            with self.subTest(mode=mode):
                p = self.spawn('-D', root, f'--resolv-conf={mode}', 'sh', '-c', 'cat /etc/resolv.conf; exit 0')
                self.assertEqual(p.returncode, 0, p.stderr)
                wrote = {'etc/resolv.conf'} if mode.split('-')[0] in ('copy', 'replace', 'delete') else set()
                self.assertLessEqual(changed(before, manifest(root)), wrote)
                if mode.endswith('-host') or mode == 'auto':
                    self.assertEqual(p.stdout, pathlib.Path('/etc/resolv.conf').read_bytes())
                if mode == 'off':
                    self.assertEqual(p.stdout, b'mine')

    def test_every_console_mode(self):
        for mode, terminal in ('interactive', True), ('read-only', True), ('passive', True), ('pipe', False), ('autopipe', False):
            with self.subTest(mode=mode):
                p = self.spawn('-q', '-D', BB, f'--console={mode}', 'sh', '-c', 'tty >/dev/null; echo $?; test -c /dev/console; echo $?')
                self.assertEqual((p.returncode, p.stdout.split()), (0, [b'0' if terminal else b'1'] * 2))
        # On a terminal autopipe is interactive; pipe hands the caller's terminal over.
        t = self.terminal('-q', '-D', BB, '--console=autopipe', 'tty')
        t.expect(rb'/dev/(pts/0|console)')
        self.assertEqual(t.wait(), 0)

    def test_recursive_and_single_binds(self):
        with tempfile.TemporaryDirectory() as d:
            inner = pathlib.Path(d, 'inner')
            inner.mkdir()
            subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', str(inner)], check=True)
            try:
                (inner / 'deep').write_text('x')
                for options, seen in ('', b'deep\n'), (':rbind', b'deep\n'), (':norbind', b''):
                    p = self.spawn('-q', '-D', BB, '--tmpfs=/mnt', f'--bind={d}:/mnt/d{options}', 'ls', '/mnt/d/inner')
                    self.assertEqual((p.returncode, p.stdout), (0, seen), (options, p.stderr))
                p = self.spawn('-q', '-D', BB, '--tmpfs=/mnt', f'--bind-ro={d}:/mnt/d', 'touch', '/mnt/d/inner/new')
                self.assertIn(b'Read-only', p.stderr)
            finally:
                subprocess.run(['umount', str(inner)], check=True)

    def test_mounts_stack_in_order_and_spare_the_image(self):
        root = self.copy('busybox')
        before = manifest(root)
        p = self.spawn('-q', '-D', root, '--tmpfs=/usr', '--bind=/etc:/usr/a/b', 'ls', '/usr/a/b/passwd')
        self.assertEqual((p.returncode, p.stdout), (0, b'/usr/a/b/passwd\n'), p.stderr)
        self.assertEqual(changed(before, manifest(root)), set())
        self.refused('-q', '-D', root, '--read-only', '--bind=/etc:/not/there', 'true', says='/not/there')
        self.assertEqual(changed(before, manifest(root)), set())

    def test_a_command_writes_nothing_into_a_debian(self):
        for name in 'debian-12', 'debian-13', 'debian-sysvinit':
            root = self.copy(name)  # an overlay: whatever is written is in its upper directory
            p = self.spawn('-q', '-D', root, 'sh', '-c', 'exit 2')
            self.assertEqual(p.returncode, 2, p.stderr)
            self.assertEqual(sorted(manifest(root.parent / 'upper')), [], name)

    def test_explain_needs_no_root(self):
        with tempfile.TemporaryDirectory(dir='/var/tmp') as d:  # the checkout may be in a folder that is closed to others
            os.chmod(d, 0o755)
            subprocess.run(['cp', '-a', BB, f'{d}/busybox'], check=True)
            program = pathlib.Path(d, 'program')
            program.write_bytes(pathlib.Path(SPAWN).read_bytes())
            program.chmod(0o755)
            p = subprocess.run(['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', program, '-D', f'{d}/busybox',
                                '--explain', '-b'], capture_output=True, text=True)
            self.assertEqual((p.returncode, p.stderr), (0, ''))
            self.assertIn('/dev/pts', p.stdout)

    def test_more_calls_that_a_kernel_may_lack(self):
        for call in 'fsconfig', 'fsmount':
            with self.subTest(call=call):
                self.refused('-q', '-D', BB, 'true', program=FAULT, says=r'5\.12', env=os.environ | {'SPAWN_TEST_ENOSYS': call})
        for call in 'pidfd_open', 'move_mount':
            self.refused('-q', '-D', BB, 'true', program=FAULT, env=os.environ | {'SPAWN_TEST_ENOSYS': call})
        # It may work or be refused, but not hang.
        self.spawn('-q', '-D', BB, 'true', program=FAULT, timeout=5, env=os.environ | {'SPAWN_TEST_ENOSYS': 'pidfd_send_signal'})
        p = self.spawn('-q', '-D', BB, 'sh', '-c', 'exit 3', program=FAULT, env=os.environ | {'SPAWN_TEST_ENOSYS': 'openat2,clone3,close_range'})
        self.assertEqual(p.returncode, 3, p.stderr)
