# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roots in disk images: what is found in them, that nothing of them stays, and images that are made to do harm."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import images
from harness import ROOTS, TestCase, tree

BB = ROOTS / 'busybox'
MEGA = 1 << 20


class Images(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(tempfile.mkdtemp(prefix='test-images-', dir='/var/tmp'))
        cls.addClassCleanup(shutil.rmtree, cls.top)
        tree = cls.top / 'tree'
        subprocess.run(['cp', '-a', BB, tree], check=True)
        for name in 'efi', 'srv':
            (tree / name).mkdir()
        cls.tree = tree
        cls.bare = images.file_system(cls.top / 'bare.raw', 'ext4', tree, 24 * MEGA)

    def setUp(self):
        super().setUp()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='test-image-', dir='/var/tmp'))
        self.addCleanup(shutil.rmtree, self.work)

    def image(self):
        path = self.work / 'some-image.raw'
        shutil.copyfile(self.bare, path)
        return path

    def out(self, *words, status=0):
        p = self.spawn('-q', *words)
        self.assertEqual(p.returncode, status, p.stderr)
        return p.stdout.decode()

    def test_a_bare_file_system(self):
        image = self.image()
        self.assertEqual(self.out('-i', image, 'sh', '-c', 'hostname; echo kept >/root/file'), 'some-image\n')
        self.assertEqual(self.out(f'--image={image}', 'cat', '/root/file'), 'kept\n')
        self.assertEqual(subprocess.run(['e2fsck', '-fn', image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode, 0)

    def test_devices_of_the_image_do_not_work(self):
        image = self.image()
        self.assertIn('nodev', self.out('-i', image, 'sh', '-c', 'grep " / ext4 " /proc/mounts'))

    def test_read_only(self):
        image = self.image()
        before = image.read_bytes()
        self.out('--read-only', '-i', image, 'touch', '/x', status=1)
        self.assertEqual(self.out('-i', image, '--explain=json', 'true')[0], '{')
        self.assertEqual(image.read_bytes(), before, 'neither --read-only nor --explain writes anything')
        for kind in 'squashfs', 'erofs':
            path = images.file_system(self.work / f'{kind}.raw', kind, self.tree)
            self.assertIn(f' / {kind} ro', self.out('-i', path, 'sh', '-c', 'grep " / " /proc/mounts'))

    def test_explained(self):
        image = self.image()
        plan = json.loads(self.out('-i', image, '--explain=json', 'true'))
        rows = {r['name']: r for r in plan['settings']}
        self.assertEqual((rows['image']['value'], rows['image']['origin']), (f'{image} (ext4)', '--image'))
        self.assertNotIn('directory', rows)

    def test_boots_reboots_and_stops(self):
        image = self.image()
        t = self.terminal('-i', image, '-b')
        for _ in range(2):
            t.expect(rb'busybox is up')
            t.send(b'cat /root/count; echo again >>/root/count; reboot\r')
        t.expect(rb'again')
        t.expect(rb'busybox is up')
        t.send(b'poweroff\r')
        self.assertEqual(t.wait(), 0)

    def test_one_owner(self):
        image = self.image()
        p = self.start('-q', '-i', image, 'sh', '-c', 'echo up; sleep 100')
        self.assertEqual(p.stdout.readline(), b'up\n')
        self.refused('-i', image, 'true', says=rf'some-image.raw is in use by the machine some-image \(process {p.pid}\)')
        self.assertIn('ext4', self.out('-i', image, '--explain', 'true'))
        p.kill()
        p.wait()
        self.out('-i', images.file_system(self.work / 's.raw', 'squashfs', self.tree), 'true')

    def test_read_only_is_shared(self):
        image = images.file_system(self.work / 's.raw', 'squashfs', self.tree)
        p = self.start('-q', '-i', image, 'sh', '-c', 'echo up; sleep 100')
        self.assertEqual(p.stdout.readline(), b'up\n')
        self.out('-i', image, 'true')

    def test_killed_at_any_time(self):
        """The harness sees a loop device that stays. The file system is as after a power cut: its journal is good."""
        image = self.image()
        for delay in 0.002, 0.008, 0.015, 0.03, 0.1:
            p = self.start('-q', '-i', image, 'sleep', '100')
            try:
                p.wait(delay)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        p = self.start('-q', '-i', image, '-b', stderr=None)
        while b'busybox is up' not in (line := p.stdout.readline()):
            self.assertTrue(line)
        p.kill()
        p.wait()
        self.out('-i', image, 'true')

    def test_gpt(self):
        home = images.file_system(self.work / 'home', 'ext4', self.tree / 'etc', 4 * MEGA)
        esp = images.file_system(self.work / 'esp', 'ext4', self.tree / 'efi', 4 * MEGA)
        image = images.gpt(self.work / 'disk.raw', [(images.ESP, esp, 'esp', 0), (images.ROOT, self.bare, 'root', 0),
                                                    (images.HOME, home, 'home', 0), (images.SRV, home, 'srv', images.NO_AUTO)])
        text = self.out('-i', image, 'sh', '-c', 'cat /proc/mounts; ls /home; echo x >/home/kept')
        self.assertRegex(text, r'(?m)^/dev/loop\d+ / ext4 rw')
        self.assertRegex(text, r'(?m)^/dev/loop\d+ /home ext4 rw')
        self.assertRegex(text, r'(?m)^/dev/loop\d+ /efi ext4 rw,nosuid,nodev,noexec')
        self.assertNotIn(' /srv ', text)
        self.assertIn('passwd', text)
        self.assertEqual(self.out('-i', image, 'cat', '/home/kept'), 'x\n')
        plan = json.loads(self.out('-i', image, '--explain=json', 'true'))
        self.assertIn('gpt partition 2', [r for r in plan['settings'] if r['name'] == 'image'][0]['value'])
        self.assertIn('/home', [m['target'] for m in plan['mounts'] if m['origin'] == '--image'])

    def test_the_root_that_is_meant(self):
        small = self.work / 'small'
        small.write_bytes(b'x' * MEGA)
        for parts, name in (([(images.LINUX, self.bare, '', 0)], 'the only one'),
                            ([(images.ROOT, small, 'system_9', 0), (images.ROOT, self.bare, 'system_10', 0)], 'the newest')):
            image = images.gpt(self.work / 'disk.raw', parts)
            self.assertEqual(self.out('-i', image, 'echo', name), name + '\n')
        image = images.mbr(self.work / 'mbr.raw', [(0, 0x83, small), (0x80, 0x83, self.bare)])
        self.assertEqual(self.out('-i', image, 'echo', 'mbr'), 'mbr\n')

    def test_what_cannot_be_a_root(self):
        def wild(places):
            return [(places[0][0], 1 << 60)]

        def at_the_table(places):
            return [(1, places[0][1])]

        def overlapping(places):
            return [places[0], (places[0][0] + 8, places[1][1])]
        small = self.work / 'small'
        small.write_bytes(b'x' * MEGA)
        luks = self.work / 'luks'
        luks.write_bytes(b'LUKS\xba\xbe\0\1'.ljust(MEGA, b'\0'))
        root = (images.ROOT, small, '', 0)
        disk = self.work / 'disk.raw'
        for make, says in (
                (lambda: images.gpt(disk, [root]), 'holds no file system'),
                (lambda: images.gpt(disk, [(images.ROOT, luks, '', 0)]), 'crypto_LUKS'),
                (lambda: images.gpt(disk, [(images.HOME, small, '', 0)]), 'no root partition'),
                (lambda: images.gpt(disk, [(images.LINUX, small, '', 0)] * 2), 'more than one Linux partition'),
                (lambda: images.gpt(disk, [root, (images.USR, small, '', 0)]), 'partition for /usr'),
                (lambda: images.gpt(disk, [root], wild), 'beyond|damaged|holds no|no root'),
                (lambda: images.gpt(disk, [root], at_the_table), 'beyond|damaged|holds no|no root'),
                (lambda: images.gpt(disk, [root, (images.HOME, small, '', 0)], overlapping), 'overlap'),
                (lambda: images.mbr(disk, [(0, 0x83, small)]), 'no root partition'),
                (lambda: images.mbr(disk, [(0x80, 0x83, small)] * 2), 'more than one bootable'),
                (lambda: disk.write_bytes(b''), 'is empty'),
                (lambda: disk.write_bytes(b'words\n' * 1000), 'neither a partition table'),
        ):
            disk.unlink(missing_ok=True)
            make()
            self.refused('-i', disk, 'true', says=says)
        images.gpt(disk, [(images.ROOT, self.bare, '', 0)])
        with open(disk, 'r+b') as f:
            f.seek(1024 + 40)
            f.write(b'\xff' * 4)  # the first table's checksum is wrong: that at the end counts
        self.out('-i', disk, 'true')
        os.truncate(disk, disk.stat().st_size // 2)
        self.refused('-i', disk, 'true', says='damaged')
        fifo = self.work / 'fifo'
        os.mkfifo(fifo)
        self.refused('-i', fifo, 'true', says='neither a file nor a block device')
        self.refused('-i', self.work, 'true', says='is a directory')
        self.refused('-i', '/dev/zero', 'true', says='neither a file nor a block device')
        self.refused('-i', self.work / 'none', 'true', says='No such file')
        self.refused('-i', disk, '-D', BB, 'true', says='exclude each other')

    def test_links_in_place_of_directories(self):
        """A root of links out of it, and a partition that would cover the host's directory."""
        tree = self.work / 'tree'
        subprocess.run(['cp', '-a', BB, tree], check=True)
        for name in 'proc', 'home':
            (tree / name).rmdir()
            (tree / name).symlink_to('/../../../../var/tmp')
        (tree / 'var/tmp').mkdir()
        bad = images.file_system(self.work / 'bad', 'ext4', tree, 24 * MEGA)
        self.refused('-i', bad, 'true', says='/proc')
        (tree / 'proc').unlink()
        (tree / 'proc').mkdir()
        bad = images.file_system(self.work / 'bad', 'ext4', tree, 24 * MEGA)
        home = images.file_system(self.work / 'h', 'ext4', size=4 * MEGA, tree=self.tree / 'etc')
        image = images.gpt(self.work / 'disk.raw', [(images.ROOT, bad, '', 0), (images.HOME, home, '', 0)])
        self.assertIn('passwd', self.out('-i', image, 'ls', '/var/tmp'))
        self.assertTrue(self.work.exists())

    def test_a_debian(self):
        root = images.file_system(self.work / 'root', 'ext4', tree('debian-12'), 600 * MEGA)
        image = images.gpt(self.work / 'debian.raw', [(images.ROOT, root, 'root', 0)])
        root.unlink()
        t = self.terminal('-i', image, '-b')
        t.expect(rb'login: $', 90)
        t.send(b'root\r')
        t.expect(rb'assword: ')
        t.send(b'root\r')
        t.expect(rb'# (\x1b\S*)?$')
        t.send(b'findmnt -no SOURCE,FSTYPE /; poweroff\r')
        t.expect(rb'/dev/loop\d+ ext4')
        self.assertEqual(t.wait(60), 0)
        with open(image, 'rb') as f:
            f.seek(2048 * images.SECTOR + 1024 + 58)
            self.assertEqual(f.read(2), b'\1\0', 'the file system was unmounted: s_state says clean')

    def test_by_the_name_of_a_machine(self):
        folder = pathlib.Path('/run/machines')
        made = not folder.exists()
        folder.mkdir(exist_ok=True)
        self.addCleanup(lambda: made and folder.rmdir())
        image = folder / 'from-image.raw'
        shutil.copyfile(self.bare, image)
        self.addCleanup(image.unlink)
        self.assertEqual(self.out('-M', 'from-image', 'hostname'), 'from-image\n')

    def test_a_block_device(self):
        image = self.image()
        device = subprocess.run(['losetup', '--find', '--show', image], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self.addCleanup(subprocess.run, ['losetup', '--detach', device], check=True)
        self.assertEqual(self.out('-M', 'm', '-i', device, 'hostname'), 'm\n')
        mount = self.work / 'mount'
        mount.mkdir()
        subprocess.run(['mount', device, mount], check=True)
        self.addCleanup(subprocess.run, ['umount', mount], check=True)
        self.refused('-M', 'm', '-i', device, 'true', says='mounted or in use')
