# SPDX-License-Identifier: LGPL-2.1-or-later
"""The completion of spawnctl, as the shells use it: verbs, each verb's options, the machines that are there."""
import os
import pathlib
import shutil
import subprocess

from test_enter import Machine
from test_sessions import CTL, setUpModule, tearDownModule  # noqa: F401

ENVIRONMENT = {**os.environ, 'PATH': f'{pathlib.Path(CTL).parent}:{os.environ["PATH"]}'}


class Completion(Machine):
    def bash(self, *words):
        script = f'source <(spawnctl --completion=bash); COMP_WORDS=(spawnctl "$@"); COMP_CWORD=$#; _spawnctl 2>/dev/null; printf "%s\\n" "${{COMPREPLY[@]}}"'
        p = subprocess.run(['bash', '-c', script, 'bash', *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=30)
        self.assertEqual((p.returncode, p.stderr), (0, ''))
        return p.stdout.split()

    def test_bash(self):
        self.detach('sleep', '1000', name='first')
        self.detach('sleep', '1000', name='second', options=('--directory', self.copy('busybox')))
        self.assertEqual(self.bash('at'), ['attach'])
        self.assertEqual(self.bash('copy-'), ['copy-to', 'copy-from'])
        self.assertEqual(self.bash('attach', ''), ['first', 'second'])
        self.assertEqual(self.bash('attach', '-r', 's'), ['second'])
        self.assertEqual(self.bash('kill', '--signal', '=', 'KILL', 'f'), ['first'])
        self.assertEqual(self.bash('attach', '--t'), ['--take'])
        self.assertEqual(self.bash('exec', '--t'), ['--tty'])
        self.assertEqual(self.bash('copy-to', 'first', '/etc/os-rel'), ['/etc/os-release'])
        self.assertEqual(self.bash('list', ''), [])
        self.assertEqual(self.bash('status', 'first', 's'), ['second'])
        self.assertEqual(self.bash('show', '-p', 'Lea'), ['Leader'])
        self.assertEqual(self.bash('show', '--property', '=', 'RootD'), ['RootDirectory'])
        self.assertEqual(self.bash('show', '-p', 'Leader', 'f'), ['first'])
        self.assertEqual(self.bash('exec', 'first', '-p', '/etc/os-rel'), ['/etc/os-release'])

    def test_each_shell_can_read_its_own(self):
        for shell in 'bash', 'zsh', 'fish':
            p = self.ctl(f'--completion={shell}')
            self.assertEqual((p.returncode, p.stderr), (0, b''))
            for word in b'copy-from', b'no-legend', b'spawnctl list':
                self.assertIn(word, p.stdout)
            if shutil.which(shell):
                self.assertEqual(subprocess.run([shell, '-n'], input=p.stdout, capture_output=True, timeout=30).stderr, b'')
        p = self.ctl('--completion=csh')
        self.assertEqual((p.returncode, p.stdout), (125, b''))
        self.assertIn(b'there are bash zsh fish', p.stderr)


del Machine
