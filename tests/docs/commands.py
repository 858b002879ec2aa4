"""Runs every command of a page ("    $ ..."), in the order of the page.

    python3 tests/docs/commands.py PAGE AT_LEAST

The lines below a command are what it says, spaces counted as one; each of them must be found in its output. `plastfit` is
the program that PLASTFIT names. The commands run in the current folder; `cd` in one holds for those that follow.
"""
import os
import re
import subprocess
import sys


def squeeze(text):
    return re.sub(r'\s+', ' ', text).strip()


def main(page, at_least):
    os.makedirs('bin', exist_ok=True)
    with open('bin/plastfit', 'w', encoding='utf-8') as file:
        file.write('#!/bin/sh\nexec "$PLASTFIT" "$@"\n')
    os.chmod('bin/plastfit', 0o755)
    os.environ['PATH'] = os.path.abspath('bin') + ':' + os.environ['PATH']
    commands, folder, bad = 0, os.getcwd(), 0
    said, example, tail = '', False, ' && pwd >' + os.path.join(folder, 'where')
    with open(page, encoding='utf-8') as file:
        lines = list(file)
    for line in lines:
        if line.startswith('    $ '):
            ran = subprocess.run(line[6:].strip() + tail, shell=True, cwd=folder, capture_output=True, text=True)
            commands += 1
            said = squeeze(ran.stdout + ran.stderr)
            if ran.returncode != 0:
                print('failed:', line.strip(), ran.stderr)
                bad += 1
            elif 'cd ' in line:
                with open('where', encoding='utf-8') as where:
                    folder = where.read().strip()
            example = True
        elif line.startswith('    ') and commands and example:
            if squeeze(line) not in said:
                print('not said by the last command:', line.strip(), '\n', said[:3000])
                bad += 1
        else:
            example = False
    print(commands, 'commands')
    return bad > 0 or commands < at_least


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
