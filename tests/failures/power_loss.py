#!/usr/bin/env python3
"""What a power cut leaves, from a record of trace_files: is `out` the old run or the new one, whole?

    power_loss.py RECORD ROOT OUT BEFORE

RECORD: made by `trace_files record`. ROOT: the folder in which the command worked. OUT: the run's
path. BEFORE: a copy of ROOT as it was. A disk keeps of a file what it held at its last fsync before
the cut, else nothing. Of each folder it keeps its changes up to some moment: at least those before
its last fsync, at most all; folders do not wait for one another. Every cut between two calls is
looked at, with each folder at its least and at its most."""
import itertools
import os
import sys


class Folder:
    def __init__(self, names=None):
        self.start = dict(names or {})
        self.now = dict(self.start)
        self.changes = []  # (time, {name: node or None})
        self.syncs = []  # times

    def change(self, time, names):
        self.changes.append((time, names))
        for name, node in names.items():
            if node is None:
                self.now.pop(name, None)
            else:
                self.now[name] = node

    def at(self, time, most):
        last = max([s for s in self.syncs if s <= time], default=-1)
        until = time if most else last
        found = dict(self.start)
        for when, names in self.changes:
            if when > until:
                break
            for name, node in names.items():
                if node is None:
                    found.pop(name, None)
                else:
                    found[name] = node
        return found


class File:
    def __init__(self, content=None):
        self.contents = [(-1, content if content is not None else b"")]

    def at(self, time):
        return [c for when, c in self.contents if when <= time][-1]


def read_tree(path):
    names = {}
    for name in os.listdir(path):
        full = os.path.join(path, name)
        if os.path.isdir(full):
            names[name] = read_tree(full)
        else:
            with open(full, "rb") as file:
                names[name] = File(file.read())
    return Folder(names)


def main():
    record, root, out, before = sys.argv[1:5]
    top = read_tree(before)
    folders = []

    def node(path):
        at = top
        relative = os.path.relpath(path, root)
        for part in [] if relative == "." else relative.split("/"):
            at = at.now.get(part) if isinstance(at, Folder) else None
        return at

    def place(path):
        return node(os.path.dirname(path)), os.path.basename(path)

    def inside(path):
        return path == root or path.startswith(root + "/")

    time = 0
    for line in open(os.path.join(record, "log"), encoding="utf-8", errors="surrogateescape"):
        word, path, *rest = line.rstrip("\n").split("\t")
        path = os.path.normpath(path)
        if not inside(path):
            continue
        time += 1
        folder, name = place(path)
        if word == "syncdir":
            node(path).syncs.append(time)
        elif word == "sync":
            with open(os.path.join(record, rest[0]), "rb") as file:
                node(path).contents.append((time, file.read()))
        elif word in ("create", "truncate"):
            if name not in folder.now:
                folder.change(time, {name: File()})
            elif word == "truncate":
                folder.now[name].contents.append((time, b""))
        elif word == "mkdir":
            if name and folder is not None and name not in folder.now:
                made = Folder()
                folders.append(made)
                folder.change(time, {name: made})
        elif word in ("unlink", "rmdir"):
            folder.change(time, {name: None})
        else:
            to, other = place(os.path.normpath(rest[0]))
            if word == "exchange":
                a, b = folder.now[name], to.now[other]
                folder.change(time, {name: b})
                to.change(time, {other: a})
                if folder is to:  # one change of one folder
                    one, two = folder.changes.pop(), folder.changes.pop()
                    folder.changes.append((time, {**two[1], **one[1]}))
            elif name in folder.now:
                moved = folder.now[name]
                if folder is to:
                    folder.change(time, {name: None, other: moved})
                else:
                    folder.change(time, {name: None})
                    to.change(time, {other: moved})

    def every_folder(at):
        yield at
        for child in list(at.start.values()) + [n for _, c in at.changes for n in c.values()]:
            if isinstance(child, Folder):
                yield from every_folder(child)

    every = list({id(f): f for f in every_folder(top)}.values())
    changed = [f for f in every if f.changes]

    def whole(at, when, chosen):
        if isinstance(at, File):
            return at.at(when)
        names = at.at(when, chosen.get(id(at), True))
        return {name: whole(child, when, chosen) for name, child in names.items()}

    def get(tree):
        for part in os.path.relpath(out, root).split("/"):
            tree = tree.get(part) if isinstance(tree, dict) else None
        return tree

    old = get(whole(top, 0, {id(f): True for f in every}))
    new = get(whole(top, time, {id(f): True for f in every}))
    n = wrong = 0
    for when in range(time + 1):
        for most in itertools.product([False, True], repeat=len(changed)):
            found = get(whole(top, when, dict(zip(map(id, changed), most))))
            n += 1
            if found != old and found != new:
                wrong += 1
                if wrong < 4:
                    lost = sorted(set(new) - set(found or {})) if isinstance(new, dict) else []
                    print(f"cut after change {when} of {time}: neither old nor new; missing of the new one: {lost}")
    empty = sorted(k for k, v in (new or {}).items() if v == b"")
    if not isinstance(new, dict) or empty:
        print(f"the new run was never brought to the disk: {empty}")
        wrong += 1
    print(f"{n} states after {time} changes of {len(changed)} folders, {wrong} wrong")
    return 1 if wrong else 0


sys.exit(main())
