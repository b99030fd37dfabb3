#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the house to its plan: what rooms include, no mutable globals, no root + path strings, short functions."""

import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
SRC = TOP / 'src'
ROOMS = {'basic': set(), 'console': {'basic'}, 'mounts': {'basic'}, 'isolation': {'basic'}, 'network': {'basic'},
         'machined': {'basic'}, 'launcher': {'basic', 'console', 'mounts', 'isolation', 'network', 'machined'},
         'tools': {'basic', 'console', 'mounts', 'isolation', 'network', 'machined', 'launcher'}}
FUNCTION_LINES, FILE_LINES = 80, 800
MUTABLE = {'current_level'}  # the log level
JOINS = {
    'inroot_walk.c',  # puts a link's target before the rest of the path, both inside the root
    'machines.c',     # a directory of the host's and the name of a machine, of which nothing is followed
    'journal.c',      # what a link on the host says; it is never followed by us
}
complaints = []


def complain(where, what):
    complaints.append(f'{where}: {what}')


def includes(path, text):
    room = path.relative_to(SRC).parts[0]
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not m:
            continue
        other = m[1].split('/')[0] if '/' in m[1] else room
        if other != room and other not in ROOMS.get(room, set()):
            complain(f'{path.relative_to(TOP)}:{number}', f'{room} includes {m[1]}')


def lengths(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES and 'table' not in path.stem and 'groups' not in path.stem:
        complain(path.relative_to(TOP), f'{len(lines)} lines, more than {FILE_LINES}')
    start = None
    for number, line in enumerate(lines, 1):
        if re.match(r'[A-Za-z_].*\(.*\{\s*$|^[A-Za-z_ ].*\)\s*\{\s*$', line) and '=' not in line.split('(')[0]:
            start = number
        elif line.startswith('}') and start:
            if number - start + 1 > FUNCTION_LINES:
                complain(f'{path.relative_to(TOP)}:{start}', f'a function of {number - start + 1} lines')
            start = None


def strings(path, text):
    if path.relative_to(SRC).parts[0] not in ('mounts', 'launcher') or path.name in JOINS:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if '%s/%s' in line or '"%s%s"' in line:
            complain(f'{path.relative_to(TOP)}:{number}', 'two paths joined as strings')


def globals_of(build):
    """Writable data: sections .data and .bss (.data.rel.ro is constant after relocation)."""
    for archive in sorted(build.rglob('*.a')):
        out = subprocess.run(['objdump', '-t', str(archive)], capture_output=True, text=True).stdout
        for line in out.splitlines():
            m = re.match(r'[0-9a-f]+ [lgu ]\S*\s+O? ?(\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$', line)
            section = m[1] if m else ''
            constant = not section.startswith(('.data', '.bss', 'COMMON', '*COM*')) or section.startswith('.data.rel.ro')
            if not constant and ' O ' in line and m[2].split('.')[0] not in MUTABLE:
                complain(archive.name, f'mutable global {m[2]}')


def main():
    for path in sorted(SRC.rglob('*.[ch]')):
        text = path.read_text()
        includes(path, text)
        lengths(path, text)
        strings(path, text)
    build = TOP / 'build/clang/src'
    if not list(build.rglob('*.a')):
        complain(build, 'not built: mutable globals cannot be looked for')
    globals_of(build)
    print('\n'.join(complaints) or 'the house is in order')
    sys.exit(1 if complaints else 0)


main()
