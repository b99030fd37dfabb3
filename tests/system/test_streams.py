# SPDX-License-Identifier: LGPL-2.1-or-later
import hashlib
import os
import signal
import subprocess
import tempfile
import time

from harness import ROOTS, SPAWN, TOP, TestCase

BB = ROOTS / 'busybox'


class Pipe(TestCase):
    def test_100_megabytes_of_random_bytes(self):
        with tempfile.TemporaryFile() as f:
            digest = hashlib.sha256()
            for _ in range(100):
                block = os.urandom(1 << 20)
                digest.update(block)
                f.write(block)
            f.seek(0)
            p = self.start('-q', '-D', BB, 'cat', stdin=f)
            got = hashlib.sha256()
            while block := p.stdout.read(1 << 20):
                got.update(block)
            self.assertEqual(p.wait(), 0)
            self.assertEqual(got.hexdigest(), digest.hexdigest())

    def test_streams_are_separate(self):
        p = self.spawn('-D', BB, 'sh', '-c', 'echo out; echo err >&2; cat', input=b'in\r\n\x00\xff')
        self.assertEqual((p.stdout, p.stderr), (b'out\nin\r\n\x00\xff', b'err\n'))

    def test_closed_descriptors(self):
        for mask in range(8):
            closing = ' '.join(f'{fd}{"<" if fd == 0 else ">"}&-' for fd in range(3) if mask & 1 << fd)
            script = 'n=0; for i in 0 1 2; do [ -e /proc/self/fd/$i ] && n=$((n | 1 << i)); done; exit $n'
            # The shell's own test opens nothing at 0 to 2, so what is there is what was handed over.
            p = subprocess.run(['sh', '-c', f'exec "$0" "$@" {closing}', SPAWN, '-q', '-P', '-D', str(BB), 'sh', '-c', script],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)
            self.assertEqual(p.returncode, 7 & ~mask, (mask, p))

    def test_a_stopped_job_is_silent(self):
        script = 'while :; do echo x; sleep 0.05; done | cat'  # of two processes
        for words in [], ['-a']:
            p = self.start('-q', '-D', BB, *words, 'sh', '-c', script)
            self.assertEqual(p.stdout.read(4), b'x\nx\n')
            p.send_signal(signal.SIGTSTP)
            _, status = os.waitpid(p.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status))
            time.sleep(0.3)
            os.set_blocking(p.stdout.fileno(), False)
            while p.stdout.read(4096):
                pass
            time.sleep(0.4)
            self.assertFalse(p.stdout.read(4096), words)
            p.send_signal(signal.SIGCONT)
            os.set_blocking(p.stdout.fileno(), True)
            self.assertEqual(p.stdout.read(4), b'x\nx\n')
            p.kill()
            p.wait()

    def test_a_journal_gets_lines(self):
        words = ['-q', '-D', BB, '--console=read-only', 'printf', r'\033[1mone\033[0m\ntwo\rthree\n\377\n']
        for ours in False, True:
            r, w = os.pipe()
            st = os.fstat(w)
            env = os.environ | {'JOURNAL_STREAM': f'{st.st_dev}:{st.st_ino if ours else st.st_ino + 1}'}
            p = self.start(*words, stdout=w, env=env)
            os.close(w)
            with open(r, 'rb') as f:
                got = f.read()
            self.assertEqual(p.wait(), 0)
            self.assertEqual(got, b'one\ntwo\nthree\n?\n' if ours else b'\033[1mone\033[0m\r\ntwo\rthree\r\n\377\r\n')

    def test_sockets_of_a_service_manager(self):
        script = 'echo $LISTEN_FDS $LISTEN_PID $$; cat <&3; cat <&4; ls /proc/self/fd | grep -c .'
        for words, pid in ([], 1), (['-a'], 2):
            first, second = tempfile.TemporaryFile(), tempfile.TemporaryFile()
            first.write(b'first\n'), second.write(b'second\n')
            first.seek(0), second.seek(0)
            # sd_listen_fds(3): from 3 on, meant for the process whose number is in $LISTEN_PID.
            launcher = f'exec 3<&{first.fileno()} 4<&{second.fileno()} LISTEN_PID=$$; export LISTEN_PID; exec "$0" "$@"'
            p = subprocess.run(['bash', '-c', 'export LISTEN_FDS=2; ' + launcher.replace('LISTEN_PID=$$; ', '; LISTEN_PID=$$; '), SPAWN,
                                '-q', '-D', str(BB), *words, 'sh', '-c', script],
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=20, pass_fds=(first.fileno(), second.fileno()))
            # ls has 0 to 2, the two, and the directory it reads.
            self.assertEqual(p.stdout.decode(), f'2 {pid} {pid}\nfirst\nsecond\n6\n', p.stderr)
        p = self.spawn('-q', '-D', BB, 'sh', '-c', 'echo $LISTEN_FDS', env=os.environ | {'LISTEN_FDS': '1', 'LISTEN_PID': '1'})
        self.assertEqual(p.stdout, b'\n')

    def test_a_reader_that_leaves(self):
        p = subprocess.run(f'{SPAWN} -q -D {BB} sh -c "while :; do echo x || exit 9; done" | head -c1', shell=True,
                           capture_output=True, timeout=20)
        self.assertEqual(p.stdout, b'x')

    def test_a_reader_that_stalls_does_not_hold_up_the_end(self):
        for mode in 'pipe', 'read-only':
            p = self.start('-q', '-D', BB, f'--console={mode}', 'sh', '-c', 'trap "exit 5" TERM; yes & wait', stdin=subprocess.PIPE)
            time.sleep(0.5)
            began = time.monotonic()
            p.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            p.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
            p.wait(8)
            self.assertLess(time.monotonic() - began, 8, mode)

    def test_sigterm_reaches_a_command_that_takes_it(self):
        p = self.start('-q', '-D', BB, 'sh', '-c', 'trap "echo got it; exit 5" TERM; echo up; while :; do sleep 0.1; done')
        self.assertEqual(p.stdout.readline(), b'up\n')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(5), 5)
        self.assertEqual(p.stdout.read(), b'got it\n')

    def test_stop_timeout(self):
        p = self.start('-q', '-D', BB, '--stop-timeout=500ms', 'sh', '-c', 'trap "" INT; trap : TERM; echo up; while :; do sleep 0.1; done')
        self.assertEqual(p.stdout.readline(), b'up\n')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(5), 137)


class Console(TestCase):
    def test_drained_to_the_last_byte(self):
        for i in range(60):
            p = self.spawn('-q', '-D', BB, '--console=read-only', 'printf', f'{i}-end')
            self.assertEqual((p.returncode, p.stdout), (0, f'{i}-end'.encode()))

    def test_short_lives_are_complete(self):
        """In each kind of console, two at a time."""
        p = subprocess.run([TOP / 'tests/bench/short-runs', '--runs', '750'], stdout=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual((p.returncode, p.stdout.count(', 0 not whole')), (0, 5), p.stdout)

    def test_a_burst_is_complete(self):
        p = self.spawn('-q', '-D', BB, '--console=read-only', 'sh', '-c', 'stty raw; seq 1 100000')
        self.assertEqual(p.stdout, b''.join(b'%d\n' % i for i in range(1, 100001)))

    def test_input_from_a_pipe_and_a_file(self):
        p = self.spawn('-q', '-D', BB, '--console=interactive', 'sh', '-c', 'stty -echo; read x; echo "<$x>"', input=b'hello\n')
        self.assertIn(b'<hello>', p.stdout)
        with tempfile.TemporaryFile() as f:
            f.write(b'from a file\n')
            f.seek(0)
            p = self.spawn('-q', '-D', BB, '--console=interactive', 'sh', '-c', 'stty -echo; read x; echo "<$x>"', stdin=f)
            self.assertIn(b'<from a file>', p.stdout)

    def test_passive_shows_what_is_left_at_the_end(self):
        p = self.spawn('-q', '-D', BB, '--console=passive', 'sh', '-c', 'seq 1 50000; echo last')
        self.assertTrue(p.stdout.endswith(b'last\r\n'), p.stdout[-50:])
        self.assertEqual(p.returncode, 0)
