#!/bin/sh
# doc/your-data.md: every command in it ("    $ ...") works, and says what the page says it does (the lines below it, spaces
# counted as one).
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
ln -s "$PF_SRCDIR/configs" configs
python3 - "$PF_SRCDIR/doc/your-data.md" <<'END' || fail "doc/your-data.md"
import os, re, subprocess, sys
os.mkdir("bin")
with open("bin/plastfit", "w") as file:
    file.write('#!/bin/sh\nexec "$PLASTFIT" "$@"\n')
os.chmod("bin/plastfit", 0o755)
os.environ["PATH"] = os.path.abspath("bin") + ":" + os.environ["PATH"]
squeeze = lambda text: re.sub(r"\s+", " ", text).strip()
commands, folder, bad = 0, os.getcwd(), 0
said, tail = "", " && pwd >" + os.path.join(folder, "where")
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("    $ "):
        ran = subprocess.run(line[6:].strip() + tail, shell=True, cwd=folder, capture_output=True, text=True)
        commands += 1
        said = squeeze(ran.stdout + ran.stderr)
        if ran.returncode != 0:
            print("failed:", line.strip(), ran.stderr)
            bad += 1
        elif "cd " in line:
            folder = open("where").read().strip()
        example = True
    elif line.startswith("    ") and commands and example:
        if squeeze(line) not in said:
            print("not said by the last command:", line.strip(), "\n", said[:3000])
            bad += 1
    else:
        example = False
print(commands, "commands")
sys.exit(bad > 0 or commands < 10)
END
finish
