# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings files (NAME.nspawn) by the program: where they are found, who wins, and what one beside the root cannot do."""
import contextlib
import json
import os
import pathlib
import shutil
import tempfile

from harness import SPAWN, TestCase, changed, manifest, wait_until

ETC, RUN = pathlib.Path('/etc/systemd/nspawn'), pathlib.Path('/run/systemd/nspawn')


class Settings(TestCase):
    def setUp(self):
        self.made = []
        self.addCleanup(self.remove)  # before anything is made, and after the host is compared
        super().setUp()
        self.root = self.copy('busybox')
        self.name = f'spawn-test-{os.getpid()}'
        self.words = ['-q', '-D', self.root, '-M', self.name]

    def remove(self):
        for path in reversed(self.made):
            if path.is_dir() and not path.is_symlink():
                with contextlib.suppress(OSError):  # another run has something in it
                    path.rmdir()
            else:
                path.unlink(missing_ok=True)

    def put(self, place, text, name=None):
        """A settings file in PLACE, which is made, with what is missing above it, for as long as the test runs."""
        for folder in [*reversed(place.parents), place]:
            if not folder.exists():
                folder.mkdir()
                self.made.append(folder)
        path = place / f'{name or self.name}.nspawn'
        self.made.append(path)
        path.write_text(text)
        return path

    def beside(self, text, name=None):
        path = self.root.parent / f'{name or self.name}.nspawn'
        path.write_text(text)  # goes with the copy
        return path

    def runs(self, *words, says='', warns='', status=0, **kw):
        p = self.spawn(*words, **kw)
        self.assertEqual((p.returncode, p.stdout.decode()), (status, says), p.stderr.decode())
        if warns:
            self.assertRegex(p.stderr.decode(), warns)
        else:
            self.assertEqual(p.stderr, b'')

    def explained(self, *words):
        p = self.spawn(*words, '--explain=json')
        self.assertEqual(p.returncode, 0, p.stderr.decode())
        return json.loads(p.stdout)

    def test_each_place_in_its_turn(self):
        show = [*self.words, 'sh', '-c', 'echo $FROM']
        self.runs(*show, says='\n')
        self.beside('[Exec]\nEnvironment=FROM=beside\n')
        self.runs(*show, says='beside\n')
        run = self.put(RUN, '[Exec]\nEnvironment=FROM=run\n')
        self.runs(*show, says='run\n')
        etc = self.put(ETC, '[Exec]\nEnvironment=FROM=etc\n')
        self.runs(*show, says='etc\n')
        self.runs('--settings=no', *show, says='\n')
        etc.write_text('')  # the first that exists, and no other
        self.runs(*show, says='\n')
        etc.unlink()
        run.unlink()
        run.symlink_to('/no/such/file')
        self.runs(*show, says='beside\n')

    def test_the_name_is_the_machine_s(self):
        self.beside('[Exec]\nHostname=by-the-tree\n', 'busybox')
        self.beside('[Exec]\nHostname=by-the-name\n')
        self.runs('-q', '-D', self.root, 'hostname', says='by-the-tree\n')
        self.runs(*self.words, 'hostname', says='by-the-name\n')
        self.runs('-q', 'hostname', cwd=self.root, says='by-the-tree\n')
        self.runs('-q', '-D', 'busybox', 'hostname', cwd=self.root.parent, says='by-the-tree\n')

    def test_a_machine_by_its_name_alone(self):
        place = pathlib.Path('/run/machines')
        self.put(place, '[Exec]\nHostname=beside-it\nParameters=hostname\n[Files]\nBind=/etc:/mnt\n')
        link = place / self.name
        self.made.append(link)
        link.symlink_to(self.root)
        self.runs('-q', '-M', self.name, says='beside-it\n', warns=r':5: Bind= is ignored, since this file is not trusted')
        self.put(ETC, '[Exec]\nHostname=in-etc\nParameters=hostname\n')
        self.runs('-q', '-M', self.name, says='in-etc\n')

    def test_what_the_command_line_says_wins_by_groups(self):
        self.put(RUN, '[Exec]\nUser=65534\nEnvironment=A=file B=file\nLimitNOFILE=99\nLimitCORE=0\nParameters=echo file\n'
                      '[Files]\nBind=/etc:/mnt\nTemporaryFileSystem=/opt\n')
        self.runs(*self.words, says='file\n')
        show = [*self.words, 'sh', '-c', 'id -u; echo $A-$B; ulimit -n']
        self.runs(*show, says='65534\nfile-file\n99\n')
        self.runs('-EA=word', *show, says='65534\nword-\n99\n')
        self.runs('-uroot', '--rlimit=NOFILE=77', *show, says='0\nfile-file\n77\n')
        mounts = [*self.words, 'sh', '-c', 'grep -cE " (/mnt|/opt|/srv) " /proc/self/mounts; true']
        self.runs(*mounts, says='2\n')
        self.runs('--tmpfs=/srv', *mounts, says='1\n')
        self.runs('--tmpfs=/srv', '--settings=override', *mounts[:-3], says='file\n')
        self.runs('--settings=override', '-uroot', '-EA=word', *self.words, 'true', says='file\n')
        plan = self.explained('--settings=override', '--tmpfs=/srv', '-EC=d', *self.words)
        self.assertEqual([m['target'] for m in plan['mounts'] if m['origin'].startswith(str(RUN))], ['/mnt', '/opt'])
        self.assertNotIn('/srv', [m['target'] for m in plan['mounts']])

    def test_a_file_beside_the_root_adds_no_rights(self):
        self.beside('[Exec]\nCapability=all\nAmbientCapability=CAP_SYS_ADMIN\nMachineID=' + 'a' * 32 + '\nLimitNOFILE=99\n'
                    'OOMScoreAdjust=-1000\nCPUAffinity=0\nSystemCallFilter=bpf\nLinkJournal=host\nPrivateUsers=pick\nEphemeral=yes\n'
                    '[Files]\nBind=/:/mnt\nBindReadOnly=/:/mnt\nTemporaryFileSystem=/opt\nInaccessible=/etc\nOverlay=/:/opt\n'
                    'BindUser=root\n[Network]\nPrivate=no\nInterface=eth0\nPort=80\n')
        before = manifest(self.root)
        with_file, without = (self.explained(*self.words, '--private-network', '--settings=' + s) for s in ('yes', 'no'))
        for plan in with_file, without:  # what differs each time, and that the file was read
            plan['settings'] = [s for s in plan['settings'] if s['name'] not in ('machine-id', 'settings-file', 'settings-trusted')]
            plan['environment'] = [e for e in plan['environment'] if not e['variable'].startswith('container_uuid')]
            for row in plan['settings']:
                row['origin'] = row['origin'].replace('--settings', 'default')
        self.assertEqual(with_file, without)
        p = self.spawn(*self.words, 'sh', '-c', 'ls /mnt; grep CapBnd /proc/self/status')
        self.assertEqual(p.stdout, self.spawn('--settings=no', *self.words, 'sh', '-c', 'ls /mnt; grep CapBnd /proc/self/status').stdout)
        lines = [line for line in p.stderr.decode().splitlines() if line.startswith('spawn: ')]
        self.assertEqual(len(lines), 11)
        for line in lines[:10]:
            self.assertRegex(line, r'^spawn: .*\.nspawn:\d+: \w+= is ignored, since this file is not trusted$')
        self.assertRegex(lines[10], r'\.nspawn: \d+ more lines are ignored')
        self.assertEqual(changed(before, manifest(self.root)) - {'proc', 'sys', 'dev', 'run'}, set())

    def test_trust_is_asked_for(self):
        self.beside('[Exec]\nLimitNOFILE=99\n[Files]\nBind=/etc/passwd:/mnt/p\n[Network]\nPrivate=yes\n')
        show = [*self.words, '--settings=trusted', 'sh', '-c', 'ulimit -n; ls /mnt; ls /sys/class/net']
        self.runs(*show, says='99\np\nlo\n')

    def test_each_value_tells_its_line(self):
        path = self.put(ETC, '[Exec]\nBoot=no\nParameters=true\nEnvironment=A=1\nEnvironment=B=2\nUser=root\nWorkingDirectory=/tmp\n'
                             'KillSignal=SIGTERM\nNotifyReady=yes\nHostname=h\nCapability=CAP_NET_ADMIN\nCapability=CAP_IPC_LOCK\n'
                             'NoNewPrivileges=yes\nSystemCallFilter=bpf\nLimitCORE=0\nLimitNOFILE=9\nOOMScoreAdjust=5\n'
                             'CPUAffinity=0\nResolvConf=delete\nPersonality=x86-64\n[Files]\nReadOnly=yes\nBind=/etc:/mnt\n'
                             'TemporaryFileSystem=/opt\nInaccessible=/etc/passwd\n[Network]\nPrivate=yes\n')
        lines = {line.split('=')[0] if 'Limit' in line else line: n for n, line in enumerate(path.read_text().splitlines(), 1)}
        plan = self.explained(*self.words)
        at = lambda key: f'{path}:{next(n for l, n in lines.items() if l.startswith(key))}'  # noqa: E731
        settings = {s['name']: (s['value'], s['origin']) for s in plan['settings']}
        for name, value, key in (('user', 'root', 'User'), ('working-directory', '/tmp', 'WorkingD'), ('hostname', 'h', 'Hostname'),
                                 ('kill-signal', 'SIGTERM', 'KillSignal'), ('notify-ready', 'yes', 'NotifyReady'),
                                 ('no-new-privileges', 'yes', 'NoNew'), ('oom-score-adjust', '5', 'OOM'),
                                 ('cpu-affinity', '0', 'CPUA'), ('read-only', 'yes', 'ReadOnly')):
            self.assertEqual(settings[name], (value, at(key)), name)
        self.assertEqual(settings['settings-file'], (str(path), 'default'))
        self.assertEqual(settings['settings-trusted'][0], 'yes')
        origins = {m['target']: m['origin'] for m in plan['mounts']}
        for target, key in ('/mnt', 'Bind'), ('/opt', 'Temporary'), ('/etc/passwd', 'Inaccessible'):
            self.assertEqual(origins[target], at(key))
        for variable, key in ('A=1', 'Environment=A'), ('B=2', 'Environment=B'):
            self.assertIn({'variable': variable, 'origin': at(key)}, plan['environment'])
        capabilities = {c['name']: c['origin'] for c in plan['capabilities']}
        self.assertEqual(capabilities['CAP_NET_ADMIN'], at('Capability=CAP_NET'))
        self.assertEqual(capabilities['CAP_IPC_LOCK'], at('Capability=CAP_IPC'))
        limits = {l['name']: l['origin'] for l in plan['limits']}
        self.assertEqual((limits['RLIMIT_CORE'], limits['RLIMIT_NOFILE']), (at('LimitCORE'), at('LimitNOFILE')))
        self.assertEqual([n['origin'] for n in plan['namespaces'] if n['name'] == 'net'], [at('Private')])
        self.assertEqual(plan['payload'][0]['origin'], at('Boot'))
        self.assertEqual(plan['payload'][1], {'word': 'true', 'origin': at('Parameters')})
        self.assertEqual(plan['system-call-filter'][0]['origin'], at('SystemCall'))
        text = self.spawn(*self.words, '--explain').stdout.decode()
        self.assertIn(f'- settings-file value={path} origin=default\n', text)
        self.assertIn(f'- user value=root origin={at("User")}\n', text)
        self.assertIn(f'- B=2 origin={at("Environment=B")}\n', text)

    def test_errors_are_a_line_and_leave_nothing(self):
        before = manifest(self.root)
        for text, says in (('[Exec]\nDropCapability=CAP_NOPE\n', r'nspawn:2: DropCapability=CAP_NOPE: unknown capability'),
                           ('[Exec]\nUser=-1\n', r'nspawn:2: User=-1: '),
                           ('[Exec]\nTimezone=help\n', r'nspawn:2: Timezone=help: '),
                           ('[Exec\n', r'nspawn:1: '), ('[Exec]\nwords\n', r'nspawn:2: '), ('[Exec]\nUser=a\0b\n', r'nspawn:2: .*NUL'),
                           ('[Network]\nVirtualEthernet=yes\n', r'nspawn:2: VirtualEthernet= is not supported by this version of spawn$'),
                           ('[Exec]\nSystemCallFilter=~@nope\n', r'nspawn:2: SystemCallFilter=~@nope: there is no group of system calls @nope$'),
                           ('[Files]\nVolatile=yes\n', r'nspawn:2: Volatile= is not supported by this version of spawn$'),
                           ('[Exec]\nBoot=yes\nAmbientCapability=CAP_CHOWN\n', 'exclude each other')):
            with self.subTest(text=text):
                self.put(RUN, text)
                self.refused(*self.words, 'true' if 'Boot' not in text else '--detach', says=says)
        self.assertEqual(before, manifest(self.root))

    def test_files_that_are_none(self):
        path = self.put(ETC, '')
        path.unlink()
        os.mkfifo(path)
        self.refused(*self.words, 'true', says='no regular file', timeout=10)
        path.unlink()
        path.symlink_to('/dev/zero')
        self.refused(*self.words, 'true', says='no regular file', timeout=10)
        path.unlink()
        path.write_bytes(b'#' * ((1 << 20) + 1))
        self.refused(*self.words, 'true', says='cannot read the settings file')
        path.write_text('x')
        path.chmod(0)
        if shutil.which('setpriv'):
            place = pathlib.Path(tempfile.mkdtemp())  # a root that a user can see
            self.addCleanup(place.rmdir)
            place.chmod(0o755)
            self.refused('--reuid=65534', '--regid=65534', '--clear-groups', SPAWN, '-D', place, '-M', self.name, '--explain',
                         program=shutil.which('setpriv'), says='cannot read the settings file .*Permission denied')

    def test_boot_and_process_two(self):
        self.beside('[Exec]\nProcessTwo=yes\nBoot=yes\nParameters=sh -c "echo $$"\n')
        self.runs(*self.words, says='2\n', warns=r':3: Boot=yes is ignored: it conflicts')
        self.runs(*self.words, 'sh', '-c', 'echo $$', says='1\n')

    def test_warnings_do_not_flood(self):
        self.beside('[Exec]\n' + ''.join(f'Nope{i}=\n' for i in range(10000)))
        p = self.spawn(*self.words, 'true')
        self.assertEqual((p.returncode, len(p.stderr.splitlines())), (0, 11))
        self.assertIn(b':2: there is no key Nope0= in section [Exec]', p.stderr)
        self.beside('[Exec]\nSystemCallFilter=~' + ' '.join(f'nope{i}' for i in range(8000)))
        p = self.spawn(*self.words, 'true')
        self.assertEqual((p.returncode, len(p.stderr.splitlines())), (0, 11))
        self.beside('[Exec]\nEnvironment=' + ' '.join(f'A{i}=' for i in range(100000)))
        self.refused(*self.words, 'true', says=r'nspawn:2: there are more than 8192 words', timeout=10)

    def test_the_lock_names_a_machine_without_its_file(self):
        """Who holds a root is found by its words: another user's settings are not read for it."""
        self.beside('[Exec]\nHostname=h\n')
        self.start(*self.words, 'sleep', '1000')
        self.beside('[Exec]\nUser=-1\n', 'other')
        again = ['-q', '-D', self.root, '-M', f'{self.name}-2', 'true']
        wait_until(lambda: b'in use' in self.spawn(*again).stderr, 'the root is in use')
        self.refused(*again, says=f'in use by the machine {self.name} ')
