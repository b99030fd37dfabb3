# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from harness import FAULT, ROOTS, SPAWN, TestCase, changed, manifest, tree

BB = ROOTS / 'busybox'


class Status(TestCase):
    def test_statuses_of_the_payload(self):
        for words, status in ((['/bin/true'], 0), (['sh', '-c', 'exit 7'], 7), (['sh', '-c', 'exit 255'], 255),
                              (['sh', '-c', 'exit 133'], 133), (['-a', 'sh', '-c', 'kill -9 $$'], 137),
                              (['-a', 'sh', '-c', 'kill -15 $$'], 143), (['-a', 'sh', '-c', 'exit 9'], 9)):
            self.assertEqual(self.spawn('-q', '-D', BB, *words).returncode, status, words)

    def test_programs_that_cannot_be_run(self):
        root = self.copy('busybox')
        (root / 'data').write_text('x')
        (root / 'garbage').write_bytes(b'\x7fELFgarbage' * 20)
        (root / 'script').write_text('#!/no/such/interpreter\n')
        (root / 'loop').write_text('#!/loop\n')
        for name in 'garbage', 'script', 'loop':
            (root / name).chmod(0o755)
        self.refused('-D', root, 'nosuch', status=127, says='no such program')
        self.refused('-D', root, '/no/such', status=127, says='/no/such')
        self.refused('-D', root, '/data', status=126, says='/data')
        self.refused('-D', root, '/garbage', status=126, says='architecture|kernel can run')
        self.refused('-D', root, '/script', status=127, says='/no/such/interpreter')
        self.refused('-D', root, '/loop', status=126, says='loop')
        self.refused('-D', root, '/etc', status=126, says='directory|denied')

    def test_refusals(self):
        root = self.copy('busybox')
        self.refused('-D', '/no/such/root', 'true', says='/no/such/root')
        self.refused('-D', '/etc/passwd', 'true', says='not a directory')
        self.refused('-D', '/', 'true', says="host's own root")
        self.refused(says='--directory')
        self.refused('--bidn=/x', says='did you mean --bind')
        self.refused('-D', root, '--rlimit=NOFILE=x', 'true', says='RLIMIT_NOFILE')
        self.refused('-D', root, '--uuid=zz', 'true', says='--uuid')
        self.refused('-D', root, '--capability=CAP_SYS_TIM', 'true', says='did you mean CAP_SYS_TIME')
        self.refused('-D', root, '--bind=/no/such', 'true', says='/no/such')
        self.refused('-D', root, '--bind=/etc:/x:nosuch', 'true', says='nosuch')
        self.refused('-D', root, '--user=nobodyhere', 'true', says='nobodyhere')
        self.refused('-D', root, '--chdir=/nowhere', 'true', says='/nowhere')
        self.refused('-D', root, '--template=/x', says='not supported')
        self.refused('-D', root, '-ab', says='exclude')
        (root / 'sbin/init').unlink()
        (root / 'bin/init').unlink()
        self.refused('-D', root, '-b', says='no init')

    def test_root_is_needed_and_said(self):
        p = subprocess.run(['setpriv', '--reuid', '65534', '--clear-groups', SPAWN, '-D', '/usr', '-M', 'x', 'true'],
                           capture_output=True, text=True)
        self.assertEqual(p.returncode, 125)
        self.assertIn('root is needed', p.stderr)

    def test_a_kernel_that_lacks_a_call(self):
        for call in 'openat2', 'clone3', 'close_range':
            p = self.spawn('-q', '-D', BB, 'sh', '-c', 'exit 3', program=FAULT, env=os.environ | {'SPAWN_TEST_ENOSYS': call})
            self.assertEqual(p.returncode, 3, (call, p.stderr))
        for call in 'fsopen', 'open_tree', 'move_mount', 'mount_setattr':
            self.refused('-q', '-D', BB, 'true', program=FAULT, says='5.12', env=os.environ | {'SPAWN_TEST_ENOSYS': call})


class Options(TestCase):
    def out(self, *words, **kw):
        p = self.spawn('-q', *words, **kw)
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout.decode()

    def test_help_and_version(self):
        text = self.out('--help')
        for word in '--pipe', '--console', '--resolv-conf', '--chdir', '--boot', '--fstab':
            self.assertIn(word, text)
        self.assertRegex(self.out('--version'), r'^systemd \d+')
        self.assertIn('SIGTERM', self.out('--kill-signal=help'))
        self.assertIn('CAP_SYS_ADMIN', self.out('--capability=help'))
        self.assertIn('autopipe', self.out('--console=help'))

    def test_forms(self):
        for words in (['-qD', BB, 'echo', 'x'], [f'-D{BB}', 'echo', 'x'], ['--directory', BB, '--', 'echo', 'x'],
                      [f'--directory={BB}', 'echo', 'x'], ['-aPD', BB, 'echo', 'x']):
            self.assertEqual(self.out(*words), 'x\n', words)
        self.assertEqual(self.out('-D', BB, 'echo', '-b', '--help'), '-b --help\n')

    def test_identity(self):
        self.assertEqual(self.out('-D', BB, '-M', 'some-name', 'hostname'), 'some-name\n')
        self.assertEqual(self.out('-D', BB, '-M', 'a', '--hostname=other', 'hostname'), 'other\n')
        u = '0123456789abcdef0123456789abcdef'
        text = self.out('-D', BB, '--uuid', u, 'sh', '-c', 'echo $container_uuid; cat /run/host/container-uuid')
        self.assertEqual(text, '01234567-89ab-cdef-0123-456789abcdef\n' * 2)

    def test_user(self):
        self.assertEqual(self.out('-D', BB, '-u', 'alice', 'sh', '-c', 'id -u; id -G; echo $HOME $USER'), '1001\n1001 100\n/home alice\n')
        self.assertEqual(self.out('-D', BB, '--user=1001', 'id', '-u'), '1001\n')
        self.assertEqual(self.out('-D', BB, '--uid', '4242', 'sh', '-c', 'id -u; id -g'), '4242\n4242\n')
        text = self.out('-D', BB, '-u', 'alice', 'grep', '^Cap', '/proc/self/status')
        self.assertEqual({l.split()[1] for l in text.splitlines() if not l.startswith('CapBnd')}, {'0' * 16})

    def test_environment_is_made_from_nothing(self):
        env = {'SECRET': 'x', 'TERM': 'xterm', 'PATH': os.environ['PATH'], 'TAKEN': 'yes'}
        text = self.out('-D', BB, '-E', 'A=b', '--setenv', 'EMPTY=', '-ETAKEN', '/bin/env', env=env)
        got = dict(l.split('=', 1) for l in text.splitlines())
        for k, v in {'container': 'systemd-nspawn', 'HOME': '/root', 'USER': 'root', 'LOGNAME': 'root', 'A': 'b', 'EMPTY': '',
                     'TAKEN': 'yes', 'LANG': 'C.UTF-8', 'NOTIFY_SOCKET': '/run/host/notify', 'TERM': 'dumb'}.items():
            self.assertEqual(got.get(k), v, k)
        self.assertNotIn('SECRET', got)

    def test_working_directory(self):
        self.assertEqual(self.out('-D', BB, '--chdir=/usr', 'pwd'), '/usr\n')
        self.assertEqual(self.out('-D', BB, 'pwd'), '/\n')

    def test_read_only_and_mounts(self):
        with tempfile.TemporaryDirectory() as d:
            source = pathlib.Path(d, 'with:colon')
            source.mkdir()
            (source / 'file').write_text('hello')
            escaped = str(source).replace(':', r'\:')
            root = self.copy('busybox')
            self.assertEqual(self.out('-D', root, f'--bind={escaped}:/mnt/here', 'sh', '-c', 'cat /mnt/here/file; echo x >/mnt/here/new'), 'hello')
            self.assertEqual((source / 'new').read_text(), 'x\n')
            p = self.spawn('-D', root, f'--bind-ro={escaped}:/mnt/here', 'touch', '/mnt/here/no')
            self.assertNotEqual(p.returncode, 0)
            self.assertIn(b'Read-only', p.stderr)
            self.assertEqual(self.out('-D', root, f'--bind-ro={escaped}/file:/etc/hosts', 'cat', '/etc/hosts'), 'hello')
        self.assertEqual(self.out('-D', root, '--bind=+/etc:/again', 'cat', '/again/passwd'), (root / 'etc/passwd').read_text())
        self.assertEqual(self.out('-D', root, '--bind=:/empty', 'sh', '-c', 'touch /empty/x; ls /empty'), 'x\n')
        self.assertIn('size=1024k', self.out('-D', root, '--tmpfs=/t:size=1M,mode=0700', 'mount'))
        p = self.spawn('-D', root, '--inaccessible=/etc/passwd', 'cat', '/etc/passwd')
        self.assertEqual(p.stdout, b'')
        p = self.spawn('-D', root, '--read-only', 'touch', '/x')
        self.assertIn(b'Read-only', p.stderr)
        self.assertEqual(self.out('-D', root, '--read-only', '--tmpfs=/tmp', 'sh', '-c', 'touch /tmp/x; echo ok'), 'ok\n')

    def test_fstab(self):
        root = self.copy('busybox')
        with tempfile.TemporaryDirectory() as d:
            pathlib.Path(d, 'data').mkdir()
            (root / 'mnt/data').mkdir(parents=True)
            (root / 'mnt/tmp').mkdir()
            pathlib.Path(d, 'data/file').write_text('fstab')
            fstab = pathlib.Path(d, 'fstab')
            fstab.write_text(f'# comment\n{d}/data /mnt/data none bind,ro 0 0\ntmpfs mnt/tmp tmpfs size=64k,nosuid 0 0\nx /no none noauto 0 0\n')
            text = self.out('-D', root, '-f', fstab, 'sh', '-c', 'cat /mnt/data/file; touch /mnt/data/x 2>&1; grep /mnt/tmp /proc/mounts')
            self.assertTrue(text.startswith('fstab'), text)
            self.assertIn('Read-only', text)
            self.assertRegex(text, 'nosuid.*size=64k')
            fstab.write_text('good /mnt/a none bind\nnonsense\n')
            self.refused('-D', root, f'--fstab={fstab}', 'true', says=r'fstab:2')

    def test_private_network_has_a_loopback_that_is_up(self):
        text = self.out('-D', BB, '--private-network', 'sh', '-c', 'ls /sys/class/net; ifconfig lo; grep CapEff /proc/self/status')
        self.assertEqual(text.split('\n')[0], 'lo')
        self.assertIn('UP LOOPBACK', text)
        self.assertTrue(int(re.search(r'CapEff:\s+(\w+)', text)[1], 16) & 1 << 12)

    def test_capabilities_and_filter(self):
        ours = int(re.search(r'CapBnd:\s+(\w+)', open('/proc/self/status').read())[1], 16)
        status = lambda *w: dict(re.findall(r'(\w+):\s+(\w+)', self.out('-D', BB, *w, 'cat', '/proc/self/status')))
        s = status()
        self.assertEqual(int(s['CapBnd'], 16), 0xfdecafff & ours)
        self.assertEqual(int(s['CapInh'], 16), 0)
        self.assertEqual((s['Seccomp'], s['NoNewPrivs']), ('2', '0'))
        self.assertEqual(int(status('--capability=cap_ipc_lock,SYSLOG')['CapEff'], 16), (0xfdecafff | 1 << 14 | 1 << 34) & ours)
        self.assertEqual(int(status('--drop-capability=all')['CapEff'], 16), 0)
        self.assertEqual(int(status('--capability=all')['CapEff'], 16), ours)
        s = status('--ambient-capability=CAP_CHOWN', '-u', 'alice')
        self.assertEqual((int(s['CapAmb'], 16), int(s['CapEff'], 16)), (1, 1))
        self.assertEqual(status('--no-new-privileges=yes')['NoNewPrivs'], '1')
        p = self.spawn('-D', BB, '--system-call-filter=~@clock mkdir mkdirat', 'mkdir', '/tmp/x')
        self.assertIn(b'not permitted', p.stderr)
        self.assertEqual(self.spawn('-D', BB, 'cat', '/proc/self/status', env=os.environ | {'SYSTEMD_SECCOMP': '0'}).stdout.count(b'Seccomp:\t0'), 1)

    def test_limits_and_scheduling(self):
        self.assertEqual(self.out('-D', BB, '--rlimit=NOFILE=64:128', 'sh', '-c', 'ulimit -Sn; ulimit -Hn'), '64\n128\n')
        self.assertEqual(self.out('-D', BB, 'sh', '-c', 'ulimit -Sn'), '1024\n')
        self.assertEqual(self.out('-D', BB, '--oom-score-adjust=500', 'cat', '/proc/self/oom_score_adj'), '500\n')
        self.assertIn('Cpus_allowed_list:\t0\n', self.out('-D', BB, '--cpu-affinity=0', 'grep', 'Cpus_allowed_list', '/proc/self/status'))
        self.assertEqual(self.out('-D', BB, '--personality=x86', 'uname', '-m'), 'i686\n')

    def test_resolv_conf_and_timezone(self):
        host = pathlib.Path('/etc/resolv.conf').read_text()
        root = self.copy('busybox')
        target = root / 'etc/resolv.conf'
        self.out('-D', root, 'true')
        self.assertFalse(target.exists())
        target.write_text('mine')
        before = manifest(root)
        self.assertEqual(self.out('-D', root, 'cat', '/etc/resolv.conf'), host)
        self.assertEqual(self.out('-D', root, '--resolv-conf=off', 'cat', '/etc/resolv.conf'), 'mine')
        self.assertEqual(self.out('-D', root, '--resolv-conf=bind-host', 'cat', '/etc/resolv.conf'), host)
        self.assertEqual(changed(before, manifest(root)), set())
        self.out('-D', root, '--resolv-conf=copy-host', 'true')
        self.assertEqual(target.read_text(), host)
        target.unlink()
        target.symlink_to('../run/resolv.conf')
        self.assertEqual(self.out('-D', root, 'cat', '/etc/resolv.conf'), host)
        self.spawn('-D', root, '--resolv-conf=copy-host', 'true')
        self.assertTrue(target.is_symlink())
        self.out('-D', root, '--resolv-conf=replace-host', 'true')
        self.assertFalse(target.is_symlink())
        self.out('-D', root, '--resolv-conf=delete', 'true')
        self.assertFalse(target.exists())
        self.out('-D', root, '--timezone=copy', 'true')
        self.assertEqual((root / 'etc/localtime').read_bytes(), pathlib.Path('/etc/localtime').read_bytes())
        self.out('-D', root, '--timezone=delete', 'true')
        self.assertFalse((root / 'etc/localtime').exists())

    def test_explain_changes_nothing(self):
        root = self.copy('busybox')
        os.rmdir(root / 'sys')
        before = manifest(root)
        plan = json.loads(self.out('-D', root, '-b', '--private-network', '--bind=/etc:/x', '--explain=json'))
        self.assertIn('net', [n['name'] for n in plan['namespaces']])
        self.assertEqual({w['path'] for w in plan['image-writes']}, {'/sys', '/x'})
        self.assertTrue(any(m['target'] == '/x' and m['origin'] == '--bind' for m in plan['mounts']))
        self.assertTrue(any(c['name'] == 'CAP_NET_ADMIN' and c['origin'] == '--private-network' for c in plan['capabilities']))
        self.assertTrue(any((e['in'], e['path'], e.get('device')) == ('/dev', 'null', '1:3') for e in plan['entries']))
        self.assertTrue(plan['system-call-filter'] and plan['limits'] and plan['environment'])
        self.assertIn('/proc/kcore', self.out('-D', root, '--explain', 'true'))
        self.assertEqual(changed(before, manifest(root)), set())


class Inside(TestCase):
    """The container as its payload sees it."""

    def sh(self, script, *words):
        p = self.spawn('-q', '-D', BB, *words, 'sh', '-c', script)
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout.decode()

    def test_mounts(self):
        flags = {}
        for line in self.sh('cat /proc/self/mountinfo').splitlines():
            f = line.split(' ')
            flags[f[4]] = (f[5].split(','), line.split(' - ')[1].split(' ')[0], ' shared:' in line)
        for path, type, wanted in (('/proc', 'proc', 'rw nosuid nodev noexec'), ('/sys', 'sysfs', 'ro nosuid nodev noexec'),
                                   ('/dev', 'tmpfs', 'rw nosuid'), ('/dev/pts', 'devpts', 'rw nosuid noexec'),
                                   ('/dev/shm', 'tmpfs', 'rw nosuid nodev'), ('/dev/mqueue', 'mqueue', 'rw nosuid nodev noexec'),
                                   ('/run', 'tmpfs', 'rw nosuid nodev'), ('/run/host', 'tmpfs', 'ro nosuid nodev noexec'),
                                   ('/proc/sys', 'proc', 'ro nosuid nodev noexec'), ('/sys/fs/cgroup', 'cgroup2', 'rw nosuid nodev noexec'),
                                   ('/proc/kallsyms', 'tmpfs', 'ro nosuid nodev noexec')):
            self.assertIn(path, flags)
            self.assertEqual(flags[path][1], type, path)
            self.assertLessEqual(set(wanted.split()), set(flags[path][0]), path)
            self.assertTrue(flags[path][2], f'{path} is not shared')
        self.assertNotIn('/tmp', flags)

    def test_masks(self):
        for name in 'kallsyms', 'keys', 'timer_list', 'kcore', 'sysrq-trigger':
            if os.path.exists(f'/proc/{name}'):
                self.assertEqual(self.sh(f'stat -c %a-%s /proc/{name}; cat /proc/{name} | wc -c'), '0-0\n0\n', name)
        self.assertIn('Read-only', self.spawn('-q', '-D', BB, 'sh', '-c', 'echo 1 >/proc/sys/kernel/panic').stderr.decode())

    def test_devices(self):
        text = self.sh('cd /dev; stat -c "%n %F %t:%T %a" null zero full random urandom tty; for l in ptmx fd stdin stdout stderr char/1:3; do readlink $l; done')
        self.assertIn('null character special file 1:3 666', text)
        self.assertIn('tty character special file 5:0 666', text)
        self.assertIn('pts/ptmx\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n../null\n', text)
        self.assertEqual(self.sh('ls /dev/pts'), 'ptmx\n')

    def test_run_host(self):
        self.assertEqual(self.sh('cat /run/host/container-manager'), 'systemd-nspawn\n')
        self.assertEqual(self.sh('cat /run/host/os-release'), pathlib.Path('/etc/os-release').read_text())
        self.assertIn('incoming', self.sh('ls /run/host'))
        self.assertEqual(self.sh('test -S /run/host/notify && echo yes'), 'yes\n')
        self.assertNotEqual(self.sh('cat /proc/sys/kernel/random/boot_id'), open('/proc/sys/kernel/random/boot_id').read())

    def test_no_descriptor_of_ours_or_the_callers(self):
        with open('/etc/shadow') as f:
            os.set_inheritable(f.fileno(), True)
            p = self.spawn('-q', '-D', BB, 'sh', '-c', 'ls /proc/self/fd /proc/1/fd', pass_fds=[f.fileno()])
        numbers = set(re.findall(r'^\d+$', p.stdout.decode(), re.M))
        self.assertLessEqual(numbers, {'0', '1', '2', '3'})  # 3 is the directory that ls reads

    def test_the_host_is_not_there(self):
        self.assertEqual(self.sh('ls -d /proc/[0-9]*').split(), ['/proc/1'])  # the shell globs before it forks
        self.assertNotIn(str(BB), self.sh('cat /proc/self/mountinfo | cut -d" " -f5'))

    def test_tmp_is_empty_only_for_a_boot(self):
        root = self.copy('busybox')
        (root / 'tmp/kept').write_text('x')
        self.assertEqual(self.spawn('-q', '-D', root, 'ls', '/tmp').stdout, b'kept\n')
        env = os.environ | {'SYSTEMD_NSPAWN_TMPFS_TMP': '1'}
        self.assertEqual(self.spawn('-q', '-D', root, 'ls', '/tmp', env=env).stdout, b'')

    def test_the_image_stays_as_it_was(self):
        root = self.copy('busybox')
        before = manifest(root)
        self.spawn('-q', '-D', root, '--tmpfs=/run/x', 'true')
        self.assertEqual(changed(before, manifest(root)), set())
        os.rmdir(root / 'sys')
        before = manifest(root)
        self.spawn('-q', '-D', root, 'true')
        self.assertEqual(changed(before, manifest(root)), {'sys'})

    def test_magic_links_lead_nowhere(self):
        root = self.copy('busybox')
        (root / 'work').symlink_to('/proc/self/fd/5')
        self.refused('-q', '-D', root, '--chdir=/work', 'true', says='/work')
        sum_before = pathlib.Path(SPAWN).read_bytes()
        (root / 'sbin/init').unlink()
        (root / 'sbin/init').write_text('#!/proc/self/exe\n')
        (root / 'sbin/init').chmod(0o755)
        self.refused('-q', '-D', root, '/sbin/init', status=126, says='magic link')
        self.assertEqual(pathlib.Path(SPAWN).read_bytes(), sum_before)


class Lock(TestCase):
    def test_one_root_one_owner(self):
        root = self.copy('busybox')
        p = self.start('-q', '-D', root, '-M', 'holder', 'sleep', '60')
        time.sleep(0.3)
        text = self.refused('-D', root, 'true', says='holder')
        self.assertIn(f'process {p.pid}', text)
        self.assertEqual(self.spawn('-q', '-D', root, 'true', env=os.environ | {'SYSTEMD_NSPAWN_LOCK': '0'}).returncode, 0)
        p.kill()
        p.wait()
        self.assertEqual(self.spawn('-q', '-D', root, 'true').returncode, 0)

    def test_read_only_shares(self):
        root = self.copy('busybox')
        p = self.start('-q', '-D', root, '--read-only', 'sleep', '60')
        time.sleep(0.3)
        self.assertEqual(self.spawn('-q', '-D', root, '--read-only', 'true').returncode, 0)
        self.refused('-D', root, 'true', says='in use')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(5), 137)
