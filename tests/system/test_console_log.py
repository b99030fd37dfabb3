# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from harness import ROOTS, TestCase, wait_until

sys.path.append('/usr/lib/python3/dist-packages')  # the distribution's modules, whichever python3 comes first
import pyte  # noqa: E402

BB = ROOTS / 'busybox'
STAMP = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ')


def play(path):
    """A player: the header and the events, each checked."""
    lines = pathlib.Path(path).read_text(encoding='utf-8').split('\n')
    assert lines.pop() == '', 'the last line is whole'
    header, events = json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
    assert header['version'] == 2, header
    before = 0
    for at, kind, data in events:
        assert at >= before and kind in 'oir' and isinstance(data, str), (at, kind, data)
        before = at
    return header, events


def shown(events, kind='o'):
    return ''.join(data for _, k, data in events if k == kind)


class Files(TestCase):
    def setUp(self):
        super().setUp()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='test-log-', dir='/var/tmp'))
        self.addCleanup(shutil.rmtree, self.work)
        self.file = self.work / 'file'

    def lines(self, path=None):
        result = []
        for line in (path or self.file).read_text().splitlines():
            self.assertRegex(line, STAMP)
            result.append(STAMP.sub('', line, count=1))
        return result


class Log(Files):
    def test_text_in_each_mode(self):
        for mode in 'read-only', 'passive', 'interactive':
            self.file.unlink(missing_ok=True)
            p = self.spawn('-q', '-D', BB, f'--console={mode}', f'--console-log={self.file}', 'printf',
                           r'\033[1mone\033[0m\ntwo\rthree\n\377\nend', stdin=subprocess.DEVNULL)
            self.assertEqual((p.returncode, p.stderr), (0, b''), mode)
            self.assertEqual([l for l in self.lines() if l != '^D'][:4], ['one', 'two', 'three', '?'], mode)
            self.assertTrue(self.file.read_bytes().endswith(b'\n'))
            self.assertEqual(self.file.stat().st_mode & 0o7777, 0o600)

    def test_raw_is_what_was_shown(self):
        p = self.spawn('-q', '-D', BB, '--console=read-only', f'--console-log={self.file},raw', 'sh', '-c',
                       r'printf "\033[1mone\033[0m\r\377"; seq 30000')
        self.assertEqual(self.file.read_bytes(), p.stdout)

    def test_appends(self):
        for i in range(3):
            self.spawn('-q', '-D', BB, '--console=passive', f'--console-log={self.file}', 'echo', i)
        self.assertEqual(self.lines(), ['0', '1', '2'])

    def test_rotation(self):
        self.spawn('-q', '-D', BB, '--console=read-only', f'--console-log={self.file},size=8K,rotate=2', 'seq', '2000')
        files = [self.work / name for name in ('file.2', 'file.1', 'file')]
        self.assertEqual(sorted(os.listdir(self.work)), sorted(f.name for f in files))
        lines = sum((self.lines(f) for f in files), [])
        self.assertEqual(lines, [str(i) for i in range(2001 - len(lines), 2001)])
        self.assertLessEqual(max(f.stat().st_size for f in files), 8192)

    def test_a_terminal(self):
        t = self.terminal('-q', '-D', BB, f'--console-log={self.file}', 'sh', '-c', 'echo "<$(stty size)>"; read x; echo "got $x"')
        t.expect(rb'<33 101>')
        t.send(b'hello\r')
        t.expect(rb'got hello')
        self.assertEqual(t.wait(), 0)
        self.assertEqual(self.lines(), ['<33 101>', 'hello', 'got hello'])

    def test_seen_while_it_runs(self):
        p = self.start('-q', '-D', BB, '--console=passive', f'--console-log={self.file}', 'sh', '-c', 'echo up; sleep 60')
        end = time.monotonic() + 20
        while not (self.file.exists() and self.file.stat().st_size) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(self.lines(), ['up'])
        p.terminate()
        p.wait(10)

    def test_what_is_refused(self):
        (self.work / 'link').symlink_to('/etc/passwd')
        os.mkfifo(self.work / 'fifo')
        for name, says in (('link', 'symbolic link'), ('fifo', 'fifo'), ('none/x', 'No such file')):
            self.refused('-D', BB, '--console=passive', f'--console-log={self.work}/{name}', 'true', says=says)
            self.refused('-D', BB, '--console=passive', f'--record={self.work}/{name}', 'true', says=says)
        for option in f'--console-log={self.file}', f'--record={self.file}', '--console-filter=safe':
            self.refused('-D', BB, '--console=pipe', option, 'true', says='needs a console, and in pipe mode there is none')
            self.refused('-D', BB, option, 'true', says='default where standard input or output is no terminal')
        for value in '', ',raw', f'{self.file},size=1', f'{self.file},size=x', f'{self.file},rotate=-1', f'{self.file},what':
            self.refused('-D', BB, f'--console-log={value}', 'true', says='--console-log=')
        self.refused('-D', BB, '--record-input=yes', 'true', says='needs --record')
        self.assertFalse(self.file.exists())

    def test_a_full_disk_stops_the_log_and_nothing_else(self):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', str(self.work)], check=True)
        try:
            p = self.spawn('-q', '-D', BB, '--console=read-only', f'--console-log={self.work}/log,raw',
                           f'--record={self.work}/cast', 'seq', '50000')
            self.assertEqual(p.returncode, 0)
            self.assertTrue(p.stdout.endswith(b'50000\r\n') and len(p.stdout) == sum(len(str(i)) + 2 for i in range(1, 50001)))
            warnings = p.stderr.decode().splitlines()
            self.assertEqual(len(warnings), 2, warnings)
            self.assertRegex(p.stderr.decode(), 'no longer logged')
            self.assertRegex(p.stderr.decode(), 'no longer recorded')
            if (self.work / 'cast').stat().st_size:
                play(self.work / 'cast')
        finally:
            subprocess.run(['umount', str(self.work)], check=True)

    def test_explained(self):
        p = self.spawn('-D', BB, '--console=passive', f'--console-log={self.file},raw,rotate=1', '--record=/r.cast',
                       '--console-filter=safe', '--explain=json', 'true')
        settings = {s['name']: (s['value'], s['origin']) for s in json.loads(p.stdout)['settings']}
        self.assertEqual(settings['console-log'], (f'{self.file} (raw, 16777216 bytes and 1 older files)', '--console-log'))
        self.assertEqual(settings['record'], ('/r.cast', '--record'))
        self.assertEqual(settings['record-input'], ('no', 'default'))
        self.assertEqual(settings['console-filter'], ('safe', '--console-filter'))
        self.assertFalse(self.file.exists())


class Record(Files):
    def test_equals_what_was_shown(self):
        script = r'for i in $(seq 500); do printf "gr\303\274n \342\202\254 \360\237\230\200 \"\\\\ \033[3${i}m\t"; done; seq 20000'
        p = self.spawn('-q', '-D', BB, '--console=read-only', f'--record={self.file}', 'sh', '-c', script)
        header, events = play(self.file)
        self.assertEqual(shown(events).encode(), p.stdout)
        self.assertEqual((header['width'], header['height']), (80, 24))
        self.assertLess(abs(header['timestamp'] - time.time()), 60)

    def test_bytes_that_are_no_text(self):
        p = self.spawn('-q', '-D', BB, '--console=read-only', f'--record={self.file}', 'sh', '-c',
                       'stty raw; head -c 200000 /dev/urandom')
        self.assertEqual(shown(play(self.file)[1]), p.stdout.decode('utf-8', 'replace'))

    def test_replayed_on_a_screen(self):
        script = r'''printf "\033[?1049h\033[2J\033[5;10H\033[7mgr\303\274n\033[0m"; stty size
                     while [ "$(stty size)" = "33 101" ]; do sleep 0.1; done; echo resized; read x
                     for i in $(seq 50); do printf "\033[$((i % 30 + 1));$((i * 2))H%d" $i; done; printf "\033[?1049l"; seq 60; stty size'''
        t = self.terminal('-q', '-D', BB, f'--record={self.file}', 'sh', '-c', script)
        t.expect(rb'33 101')
        t.resize(40, 120)
        t.expect(rb'resized')
        t.send(b'\r')
        self.assertEqual(t.wait(), 0)
        live = t.everything
        header, events = play(self.file)
        self.assertEqual((header['width'], header['height'], header['env']), (101, 33, {'TERM': 'xterm'}))
        self.assertEqual([e[2] for e in events if e[1] == 'r'], ['120x40'])
        self.assertEqual(shown(events).encode(), live)
        self.assertEqual(shown(events, 'i'), '')
        first, second = pyte.Screen(120, 40), pyte.Screen(120, 40)
        pyte.ByteStream(first).feed(live)
        stream = pyte.Stream(second)
        for _, kind, data in events:
            if kind == 'o':
                stream.feed(data)
        self.assertEqual(first.display, second.display)
        self.assertIn('60', ''.join(second.display))

    def test_passwords_are_not_recorded(self):
        script = '''echo ready; read a; echo "<$a>"; until [ -e /mnt/on ]; do sleep 0.05; done; stty -echo
                     printf "Password: "; read p; stty echo; echo; read b; echo "<$b>"'''
        go = self.file.parent / 'go'
        go.mkdir()
        t = self.terminal('-q', '-D', BB, f'--bind={go}:/mnt', f'--record={self.file}', '--record-input=yes', 'sh', '-c', script)
        t.expect(rb'ready')
        t.send(b'first\r')
        # what is typed just before the echo is turned off counts as a password too, so not before it is recorded
        wait_until(lambda: '"i", "first' in self.file.read_text(), 'the input is recorded')
        (go / 'on').touch()
        t.expect(rb'Password: ')
        for answer, after in ((b's3cret', rb'\n'), (b'last', rb'<last>')):
            t.send(answer + b'\r')
            t.expect(after)
        self.assertEqual(t.wait(), 0)
        _, events = play(self.file)
        self.assertEqual(shown(events, 'i'), 'first\rlast\r')
        self.assertNotIn('s3cret', self.file.read_text())

    def test_written_when_idle(self):
        self.start('-q', '-D', BB, '--console=passive', f'--record={self.file}', 'sh', '-c', 'echo up; sleep 60')
        end = time.monotonic() + 20
        while b'up' not in (self.file.read_bytes() if self.file.exists() else b'') and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(shown(play(self.file)[1]), 'up\r\n')


class Filter(TestCase):
    HOSTILE = r'a\033]52;c;eA==\007b\033[21tc\005d\033P$qm\033\\e\033]11;?\007f\033_G\033\\g\033[1mh\033]0;t\007\304\235i\n'

    def show(self, *options):
        return self.spawn('-q', '-D', BB, '--console=read-only', *options, 'printf', self.HOSTILE).stdout

    def test_safe(self):
        self.assertEqual(self.show('--console-filter=safe'), b'abcdefg\033[1mh\033]0;t\007\304\235i\r\n')

    def test_off_by_default(self):
        self.assertEqual(self.show(), self.show('--console-filter=off'))
        self.assertIn(b'\033]52;c;eA==\007', self.show())

    def test_a_burst_passes_untouched(self):
        p = self.spawn('-q', '-D', BB, '--console=read-only', '--console-filter=safe', 'sh', '-c', 'stty raw; seq 1 100000')
        self.assertEqual(p.stdout, b''.join(b'%d\n' % i for i in range(1, 100001)))

    def test_what_was_set_is_undone(self):
        for option in '--console-filter=off', '--console-filter=safe':
            t = self.terminal('-q', '-D', BB, option, 'printf', r'\033[?1049h\033[?25l\033[?2004h\033[?1002h\033[?1002lx')
            self.assertEqual(t.wait(), 0)
            t.pump(0.1)
            self.assertTrue(t.output.endswith(b'x\033[?2004l\033[?25h\033[?1049l\r\n'), t.output)
            t = self.terminal('-q', '-D', BB, option, 'printf', r'\033[?25l\033[1m\033[?25hx\n')
            self.assertEqual(t.wait(), 0)
            t.pump(0.1)
            self.assertTrue(t.output.endswith(b'x\r\n'), t.output)
