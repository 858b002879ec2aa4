"""Flies from .mat files (MATLAB 5) as one CSV table, by hand: nothing of plastfit is used, so that a source that reads
tables can be held against one that reads .mat files.   fly_to_csv.py OUT.csv FLY.mat ..."""
import csv
import os
import struct
import sys
import zlib

NUMBERS = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 9: "d", 12: "q", 13: "Q"}


def elements(data):
    """(type, bytes) of each element."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind >> 16:  # small: size and type in one word, the bytes in the next
            yield kind & 0xFFFF, data[at + 4:at + 4 + (kind >> 16)]
            at += 8
            continue
        yield kind, data[at + 8:at + 8 + size]
        at += 8 + size + (0 if kind == 15 else -size % 8)


def matrices(path):
    found = {}
    with open(path, "rb") as file:
        data = file.read()[128:]
    for kind, body in elements(data):
        if kind == 15:
            kind, body = next(elements(zlib.decompress(body)))
        parts = list(elements(body))
        rows, columns = struct.unpack("<2i", parts[1][1])
        kind, body = parts[3]
        letter = NUMBERS[kind]
        values = struct.unpack("<%d%s" % (len(body) // struct.calcsize(letter), letter), body)
        found[parts[2][1].decode()] = [values[i::rows] for i in range(rows)]
    return found


def main(out, paths):
    with open(out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["fly", "trial", "odour A", "odour B", "accepted", "sugar"])
        for path in paths:
            m = matrices(path)
            choices = [v for row in m["Y"] for v in row]
            rewards = [v for row in m["R"] for v in row]
            trial = 0
            for cue, choice in zip(m["X"], choices):
                sugar = repr(float(rewards[trial])) if choice == 1 else ""
                writer.writerow([os.path.basename(path)[:-4], trial, *cue, choice, sugar])
                trial += choice == 1


main(sys.argv[1], sys.argv[2:])
