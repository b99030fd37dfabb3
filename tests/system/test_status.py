# SPDX-License-Identifier: LGPL-2.1-or-later
"""spawnctl list, status and show: what machines are, and what a hostile one can make of it."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

from harness import wait_until
from test_enter import Machine
from test_sessions import CLONE_NEWNS, CTL, libc, setUpModule, tearDownModule  # noqa: F401

USAGE = 'TasksCurrent', 'MemoryCurrent', 'CPUUsageNSec'


class Status(Machine):
    def text(self, *words, env=None):
        p = self.ctl(*words, env={**os.environ, **(env or {})})
        self.assertEqual((p.returncode, p.stderr), (0, b''), words)
        return p.stdout.decode()

    def show(self, *words, name='m1'):
        return dict(line.split('=', 1) for line in self.text('show', name, *words).splitlines())

    def rows(self):
        return {m['machine']: m for m in json.loads(self.text('list', '--json'))}

    def os_release(self, text):
        path = self.root / 'etc/os-release'
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_bytes(text)
        return path

    def with_network(self, *addresses):
        """A machine with an interface host0 that has ADDRESSES, in this order."""
        self.detach('sh', '-c', 'sleep 1000', options=('--private-network',))
        leader = self.state()['leader']
        inside = ['nsenter', '-t', str(leader), '-n', 'ip']
        for words in (['ip', 'link', 'add', 'spawn-test0', 'type', 'veth', 'peer', 'name', 'host0', 'netns', str(leader)],
                      inside + ['link', 'set', 'host0', 'addrgenmode', 'none'],
                      *(inside + ['address', 'add', a, 'dev', 'host0', *(['nodad'] if ':' in a else [])] for a in addresses),
                      inside + ['link', 'set', 'host0', 'up'], inside + ['link', 'set', 'lo', 'up']):
            subprocess.run(words, check=True)

    # ---- what is shown ----

    def test_status(self):
        self.os_release(b'ID=made\nVERSION_ID="7"\nPRETTY_NAME="Made Linux 7 (test)"\n')
        self.script('sleep 1000 & while :; do wait; done')
        s = self.state()
        self.assertRegex(s['id'], r'\A[0-9a-f]{32}\Z')
        wait_until(lambda: 'sleep 1000' in self.text('status', 'm1'), 'the payload')
        text = self.text('status', 'm1', env={'LC_ALL': 'C', 'TZ': 'UTC'})
        expected = [rf'm1\({s["id"]}\)', r'           Since: ... 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC; \d+s ago',
                    rf'          Leader: {s["leader"]} \(sh\)', rf'      Supervisor: {s["supervisor"]} \(spawn\)',
                    r'         Service: spawn; class container', r'           State: running', r'         Console: detached',
                    rf'            Root: {self.root}', r'              OS: Made Linux 7 \(test\)', r'           Tasks: 2',
                    r'          Memory: \S+[KM]', r'             CPU: \d+\.\d\d\ds']
        if s['unit']:
            expected.append(rf'            Unit: {re.escape(s["unit"])}')
        expected += [rf'           Group: {re.escape(s["cgroup"])}', rf'                  \|- *{s["leader"]} /bin/sh -c sleep 1000 &.*',
                     r'                  `- *\d+ sleep 1000']
        self.assertRegex(text, r'\A' + r'\n'.join(expected) + r'\n\Z')
        self.assertIn(f'├─{s["leader"]} ', self.text('status', 'm1', env={'LC_ALL': 'C.UTF-8'}).replace('─ ', '─'))

    def test_show(self):
        self.os_release(b'ID=made\nVERSION_ID=7\nPRETTY_NAME="Made"\n')
        self.detach('sleep', '1000')
        s, p = self.state(), self.show()
        names = ['Name', 'Id', 'Timestamp', 'TimestampMonotonic', 'Service', 'Unit', 'Leader', 'Class', 'RootDirectory', 'State']
        self.assertEqual(list(p)[:len(names) - (not s['unit'])], [n for n in names if n != 'Unit' or s['unit']])
        self.assertEqual((p['Name'], p['Leader'], p['RootDirectory'], p['State'], p['OSId'], p['OSVersion'], p['OS']),
                         ('m1', str(s['leader']), str(self.root), 'running', 'made', '7', 'Made'))
        self.assertLess(abs(int(p['TimestampMonotonic']) / 1e6 - time.monotonic()), 60)
        self.assertLess(abs(int(p['Started']) - time.time()), 60)
        for words, found in ((('-p', 'Leader', '--value'), f'{s["leader"]}\n'), (('--property=State,Name',), 'Name=m1\nState=running\n'),
                             (('-p', 'State', '-p', 'Class', '--value'), 'container\nrunning\n'), (('-p', 'NoSuch'), ''),
                             (('--value', '--property', 'Addresses'), '')):
            self.assertEqual(self.text('show', *words, 'm1'), found)

    def test_json_is_the_lines(self):
        self.os_release(b'ID=made\nPRETTY_NAME="a\\"b \x1b[31m \xff"\n')
        self.with_network('192.0.2.7/24', '2001:db8::7/64')
        for verb in 'show', 'status':
            found = {}
            for key, value in json.loads(self.text(verb, '--json', 'm1')).items():
                value = {True: 'yes', False: 'no'}.get(value, value) if isinstance(value, bool) else value
                found[key] = ' '.join(value) if isinstance(value, list) else '' if value is None else str(value)
            found['os'] = found['os'].replace('\x1b', r'\x1b')
            lines = self.show()
            values = [v for v in found.values() if v]
            self.assertEqual(len(values), len(lines))
            for (name, value), other in zip(lines.items(), values):
                if name not in USAGE:
                    self.assertEqual(value, other, name)
            self.assertEqual(lines['OS'], r'a"b \x1b[31m \xff')
            self.assertEqual(lines['Addresses'], '192.0.2.7 2001:db8::7')
        for key in 'name', 'class', 'state', 'ready', 'console', 'leader', 'supervisor', 'started', 'root':
            self.assertIn(key, found)

    def test_two_names(self):
        self.detach('sleep', '1000')
        self.detach('sleep', '1000', name='m2', options=('-D', self.copy('busybox')))
        self.assertEqual(self.text('show', 'm2', 'm1', '-p', 'Name'), 'Name=m2\n\nName=m1\n')
        self.assertEqual([json.loads(line)['name'] for line in self.text('status', '-j', 'm1', 'm2').splitlines()], ['m1', 'm2'])
        self.assertRegex(self.text('status', 'm1', 'm2'), r'\Am1\((?s:.*)\n\nm2\(')
        p = self.ctl('show', 'm8', 'm1', 'm9', '--value', '-p', 'Name')
        self.assertEqual((p.returncode, p.stdout, p.stderr),
                         (125, b'm1\n', b'spawnctl: there is no machine m8\nspawnctl: there is no machine m9\n'))
        for words, says in ((['status'], 'needs the name'), (['show', '--value'], 'needs the name'), (['list', 'm1'], 'one word too many'),
                            (['status', '-p', 'Name', 'm1'], 'not for status'), (['show', 'm1', '../m2'], 'no name')):
            p = self.ctl(*words)
            self.assertEqual(p.returncode, 125)
            self.assertRegex(p.stderr.decode(), says)

    def test_list(self):
        self.os_release(b'ID=made\nVERSION_ID=7\n')
        self.with_network('fe80::7/64', '192.0.2.7/24')
        self.detach('sleep', '1000', name='m2', options=('-D', self.copy('busybox')))
        os.unlink(self.state('m2')['root'] + '/etc/os-release')
        self.assertEqual([line.split() for line in self.text('list').splitlines()],
                         [['MACHINE', 'CLASS', 'SERVICE', 'OS', 'VERSION', 'ADDRESSES', 'STATE', 'CONSOLE'],
                          ['m1', 'container', 'spawn', 'made', '7', '192.0.2.7…', 'running', 'detached'],
                          ['m2', 'container', 'spawn', '-', '-', '-', 'running', 'detached'], [], ['2', 'machines', 'listed.']])
        m1 = self.rows()['m1']
        self.assertEqual((m1['addresses'], m1['leader'], m1['root']), ('192.0.2.7 fe80::7', self.state()['leader'], str(self.root)))

    def test_addresses(self):
        self.with_network('fe80::7/64', '2001:db8::7/64', '169.254.0.7/16', '192.0.2.7/24')
        self.assertIn('\n         Address: 192.0.2.7\n                  169.254.0.7\n                  2001:db8::7\n'
                      '                  fe80::7\n', self.text('status', 'm1'))
        leader = self.state()['leader']
        for i in range(40):
            subprocess.run(['nsenter', '-t', str(leader), '-n', 'ip', 'address', 'add', f'192.0.2.{100 + i}/24', 'dev', 'host0'], check=True)
        text = self.text('status', 'm1')
        self.assertRegex(text, r'(?m)^ {18}and 12 more$')
        self.assertEqual(len(self.show('-p', 'Addresses')['Addresses'].split()), 32)

    def test_a_network_of_the_hosts_has_no_addresses(self):
        self.detach('sleep', '1000')
        self.assertNotIn('Address', self.text('status', 'm1'))
        self.assertEqual(self.rows()['m1']['addresses'], '')

    def test_ended(self):
        """Its supervisor still answers those who come late: there is no process to look at any more."""
        self.script('read x; exit 3')
        t = self.attach('m1')
        t.send(b'\r')
        self.assertEqual(t.wait(), 3)
        text = self.text('status', 'm1')
        self.assertIn('           State: ended\n', text)
        for word in 'OS:', 'Address', 'Tasks', '- ', '(sh)':
            self.assertNotIn(word, text)

    # ---- hostile ones ----

    def assert_nothing_of_the_system(self):
        begin = time.monotonic()
        p = self.show()
        self.assertFalse({'OS', 'OSId', 'OSVersion'} & p.keys(), p)
        self.assertNotIn(' OS: ', self.text('status', 'm1'))
        self.assertEqual((self.rows()['m1']['os'], self.rows()['m1']['version']), ('', ''))
        return time.monotonic() - begin

    def test_hostile_os_release(self):
        (self.root / 'usr/lib').mkdir(parents=True, exist_ok=True)
        self.detach('sleep', '1000')
        for make in (lambda p: p.symlink_to('/proc/1/environ'), lambda p: p.symlink_to('/proc/1/fd/0'), lambda p: p.symlink_to('/proc/kmsg'),
                     lambda p: p.symlink_to('../../../../../../etc/hostname'), lambda p: p.symlink_to('os-release'), os.mkfifo,
                     lambda p: os.mknod(p, 0o20644, os.makedev(1, 5)), lambda p: p.mkdir(),
                     lambda p: p.write_bytes(b'ID=large\n' + b'#' * 100_000_000)):
            path = self.root / 'etc/os-release'
            if not path.is_symlink() and path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
            make(path)
            self.assertLess(self.assert_nothing_of_the_system(), 3)
        self.os_release(b'ID=\x1b[31m\nVERSION_ID="\x07\xff"\nPRETTY_NAME="\x1b]0;title\x07\xc2\x9b"\n')
        for words in ('list',), ('status', 'm1'), ('show', 'm1'):
            text = self.text(*words)
            self.assertFalse(re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f]', text), text)
        self.assertIn(r'OS: \x1b]0;title\x07\xc2\x9b', self.text('status', 'm1'))

    def test_links_of_the_image_mean_the_image(self):
        """An absolute link is looked up below the container's root."""
        self.os_release(None)
        (self.root / 'etc/os-release').symlink_to('/etc/../../../etc/inside')
        (self.root / 'etc/inside').write_text('ID=inside\n')
        self.detach('sleep', '1000')
        self.assertEqual(self.rows()['m1']['os'], 'inside')

    def mount_silence(self, path):
        """A FUSE file system in the machine m1 at PATH, that never answers."""
        r, w = os.pipe()
        namespace = os.open(f'/proc/{self.state()["leader"]}/ns/mnt', os.O_RDONLY)
        pid = os.fork()
        if pid == 0:
            fuse = os.open('/dev/fuse', os.O_RDWR)
            libc.setns(namespace, CLONE_NEWNS)
            done = libc.mount(b'silence', path.encode(), b'fuse', 0, f'fd={fuse},rootmode=40000,user_id=0,group_id=0'.encode())
            os.write(w, b'x' if done == 0 else b'')
            os.close(w)
            signal.pause()
        os.close(w)
        os.close(namespace)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        with open(r, 'rb') as f:
            self.assertEqual(f.read(1), b'x')

    @unittest.skipUnless(os.path.exists('/dev/fuse'), 'there is no /dev/fuse')
    def test_who_makes_us_wait_is_left_out(self):
        """What a payload serves itself may never be answered; the other machines are shown nevertheless."""
        self.os_release(b'ID=slow\n')
        self.with_network('192.0.2.7/24')
        other = self.copy('busybox')
        (other / 'etc/os-release').write_text('ID=fast\n')
        self.detach('sleep', '1000', name='m2', options=('-D', other))
        self.assertEqual([r['os'] for r in self.rows().values()], ['slow', 'fast'])
        self.mount_silence('/etc')
        for look in (lambda: [r['os'] for r in self.rows().values()] == ['', 'fast'], lambda: 'OS' not in self.show(),
                     lambda: 'sleep 1000' in self.text('status', 'm1')):
            begin = time.monotonic()
            self.assertTrue(look())
            self.assertTrue(0.9 < time.monotonic() - begin < 5)

    def test_hostile_group_tree(self):
        self.script('cd /sys/fs/cgroup && mkdir "$(printf "esc\\033[31m")" deep wide && (cd deep; i=0; while [ $i -lt 40 ]; do mkdir d; cd d; i=$((i+1)); done); '
                    '(cd wide; i=0; while [ $i -lt 300 ]; do mkdir w$i; i=$((i+1)); done); '
                    'sh -c "sleep 1000; :" "$(printf "\\033]0;title\\007\\377")" $(seq 1 2000) & touch /made; wait')
        wait_until(lambda: (self.root / 'made').exists(), 'the tree', 30)
        begin = time.monotonic()
        text = self.text('status', 'm1', env={'LC_ALL': 'C'})
        self.assertLess(time.monotonic() - begin, 3)
        self.assertFalse(re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f]', text), text)
        self.assertLess(text.count('\n'), 250)
        self.assertRegex(text, r'(?m)^ {18}\|-deep\n {18}\| `-d\n {18}\|   `-d\n')
        self.assertRegex(text, r'(?m)^ {18}\| +`-\.\.\. and 1 more\n {18}\|-esc\\x1b\[31m\n {18}`-wide\n')
        self.assertRegex(text, r'(?m)`-\.\.\. and 200 more\n\Z')
        self.assertRegex(text, r'sh -c sleep 1000; : \\x1b]0;title\\x07\\xff 1 2 3')
        self.assertLess(max(map(len, text.splitlines())), 1500)
        columns = os.environ.pop('COLUMNS', None)
        try:
            t = self.terminal('status', 'm1', program=CTL, size=(33, 50))
            self.assertEqual(t.wait(), 0)
        finally:
            if columns is not None:
                os.environ['COLUMNS'] = columns
        shown = t.everything.decode().replace('\r', '').splitlines()
        tree = shown[next(i for i, line in enumerate(shown) if 'Group: ' in line) + 1:]
        self.assertEqual(max(map(len, tree)), 50)

    def test_what_a_process_calls_itself(self):
        self.script(r'printf "a\033[31m\nb" >/proc/self/comm; while :; do sleep 1; done')
        wait_until(lambda: r'(a\x1b[31m\x0ab)' in self.text('status', 'm1'), 'the name')


del Machine
