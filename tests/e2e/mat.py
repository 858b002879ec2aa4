"""Writes small .mat files (version 5, uncompressed): sound ones, and each with one thing wrong. Argument: the folder."""
import os
import struct
import sys


def element(kind, data):
    return struct.pack("<ii", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def matrix(name, rows):
    n, m = len(rows), len(rows[0])
    values = [float(rows[i][j]) for j in range(m) for i in range(n)]  # column by column
    flags = element(6, struct.pack("<II", 6, 0))  # a full real matrix of doubles
    shape = element(5, struct.pack("<ii", n, m))
    return element(14, flags + shape + element(1, name.encode()) + element(9, struct.pack("<%dd" % len(values), *values)))


def write(path, **variables):
    with open(path, "wb") as file:
        file.write(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM")
        file.write(b"".join(matrix(name, rows) for name, rows in variables.items()))


os.chdir(sys.argv[1])
X = [[1, 0], [0, 1], [1, 0], [0, 1]] * 10
Y = [[0], [1], [1], [0]] * 10
R = [[i % 2] for i in range(20)]
write("fly.mat", X=X, Y=Y, R=R)
write("no-y.mat", X=X, R=R)
write("short.mat", X=X, Y=Y, R=R[:-1])
whole = open("fly.mat", "rb").read()
open("cut.mat", "wb").write(whole[:300])
open("noise.mat", "wb").write(bytes(range(256)) * 4)
