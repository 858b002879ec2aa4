"""Writes .npz files into the current folder with nothing but the standard library, and prints the names of the good ones."""
import struct
import zipfile

NAN = float("nan")
animal = ["fly1"] * 5 + ["fly2"] * 3
session = ["mon"] * 3 + ["tue"] * 2 + ["mon"] * 3
trial = [0, 0, 1, 0, 0, 0, 0, 1]
x = [(1, 0), (0, 1), (1, 1), (1, 0), (0, 2), (0, 1), (1, 0), (2, 1)]
choice = [0, 1, 1, 0, 1, 0, 1, NAN]
reward = [NAN, 1, 0, NAN, 1, NAN, 0, NAN]
novelty = [1, 3, 2, 1, 0, 1, 0, 5]
gap = [NAN, 20, 15, NAN, 30, NAN, 25, 10]
CODES = {"f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?"}


def npy(values, descr, fortran=False, version=1, shape=None, header=None):
    """The bytes of a .npy file. values: numbers, texts, or rows of numbers."""
    kind, item = descr[1], descr[1:]
    values = list(values)
    rows = [v if isinstance(v, tuple) else (v,) for v in values]
    cells = [rows[i][j] for j in range(len(rows[0] if rows else ())) for i in range(len(rows))] if fortran else [c for r in rows for c in r]
    order = ">" if descr[0] == ">" else "<"
    if kind == "U":
        width = int(descr[2:])
        data = b"".join(t.ljust(width, "\0").encode("utf-32-be" if order == ">" else "utf-32-le") for t in cells)
    elif kind == "S":
        data = b"".join(t.encode().ljust(int(descr[2:]), b"\0") for t in cells)
    else:
        whole = kind in "iu"
        data = b"".join(struct.pack(order + CODES[item], int(c) if whole else c) for c in cells)
    if shape is None and header is None:
        shape = "(%d,)" % len(rows) if not isinstance(values[0], tuple) else "(%d, %d)" % (len(rows), len(rows[0]))
    if header is None:
        header = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
    text = header.encode("latin-1" if version < 3 else "utf-8") + b" " * 20 + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def arrays(**changed):
    all = dict(animal=npy(animal, "<U4"), session=npy(session, "|S3"), trial=npy(trial, "<i8"), x=npy(x, "<f8"),
               choice=npy(choice, "<f8"), reward=npy(reward, "<f8"), novelty=npy(novelty, "<i4"))
    all.update(changed)
    return {k: v for k, v in all.items() if v is not None}


def write(name, all, how=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(name + ".npz", "w", how) as archive:
        for key, value in all.items():
            archive.writestr(key + ".npy", value)


def good():
    """Files that say the same in other ways: the fit MUST come out the same."""
    made = {"base": arrays(), "stored": arrays()}
    for order in "<>":
        for kind in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
            made["x-" + ("big" if order == ">" else "little") + "-" + kind] = arrays(x=npy(x, order + kind, kind[1] in "48"))
        made["text" + str(order == ">")] = arrays(animal=npy(animal, order + "U7"), session=npy(session, order + "U3"))
    made["versions"] = arrays(x=npy(x, "<f8", version=2), reward=npy(reward, ">f4", version=3))
    made["columns"] = arrays(x=None, x1=npy([r[0] for r in x], "<u2"), x2=npy([(r[1],) for r in x], "<f4"))
    made["scalars"] = arrays(extra=npy([7], "<f8", shape="()"), dt=npy([2.5], "<f8", shape="()"))
    made["unused"] = arrays(junk=b"not an array", objects=npy([1], "<i8", header="{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
                            cube=npy(range(8), "<i8", shape="(2, 2, 2)"))
    return made


def bad():
    truncated = npy(x, "<f8")[:-3]
    whole = lambda h: npy(x, "<f8", header=h)
    return {
        "objects": arrays(x=whole("{'descr': '|O', 'fortran_order': False, 'shape': (8, 2), }")),
        "structured": arrays(x=whole("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (16,), }")),
        "complex": arrays(x=whole("{'descr': '<c16', 'fortran_order': False, 'shape': (8,), }")),
        "half": arrays(x=whole("{'descr': '<f2', 'fortran_order': False, 'shape': (8, 8), }")),
        "cut": arrays(x=truncated),
        "shape": arrays(x=npy(x, "<f8", shape="(9, 2)")),
        "huge": arrays(x=npy(x, "<f8", shape="(4611686018427387904, 4)")),
        "overflow": arrays(x=npy(x, "<f8", shape="(99999999999999999999, 2)")),
        "negative": arrays(x=npy(x, "<f8", shape="(-8, 2)")),
        "dimensions": arrays(x=npy(x, "<f8", shape="(2, 4, 2)")),
        "no-header": arrays(x=b"\x93NUMPY\x01\x00\xff\xff{"),
        "no-array": arrays(x=b"hello, I am no array at all"),
        "version": arrays(x=b"\x93NUMPY\x09" + npy(x, "<f8")[7:]),
        "code": arrays(x=whole("{'descr': __import__('os'), 'fortran_order': False, 'shape': (8, 2), }")),
        "twice": arrays(x=whole("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (8, 2), }")),
        "keys": arrays(x=whole("{'descr': '<f8', 'fortran_order': False, 'shape': (8, 2), 'more': 1}")),
        "empty-header": arrays(x=whole("")),
        "rows": arrays(reward=npy(reward[:-1], "<f8")),
        "wide": arrays(reward=npy(x, "<f8")),
        "scalar": arrays(choice=npy([1], "<f8", shape="()")),
        "text": arrays(reward=npy(animal, "<U4")),
        "infinite": arrays(reward=npy([float("inf")] * 8, "<f8")),
        "no-input": arrays(x=npy([(NAN, 1)] + x[1:], "<f8")),
        "third": arrays(choice=npy([0, 2, 0.5, 0, 1, 0, 1, 1], "<f8")),
        "two": arrays(choice=npy([0, 2, 1, 0, 1, 0, 1, 1], "<i8")),
        "half-trial": arrays(trial=npy([0.5] * 8, "<f8")),
        "back": arrays(trial=npy([3, 2, 1, 0, 0, 0, 0, 1], "<i8")),
        "again": arrays(animal=npy(["a", "a", "b", "b", "a", "a", "b", "b"], "<U1"), session=None, trial=None),
        "nobody": arrays(animal=npy([""] * 8, "<U4"), session=None, trial=None),
        "no-rows": {"x": npy([(1, 2)], "<f8", header="{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2), }")[:-16], "choice": npy([1], "<f8", header="{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }")[:-8]},
        "nothing-to-predict": arrays(choice=None),
        "nothing-to-see": arrays(x=None),
    }


def special(name):
    if name == "bomb":  # 42 MB of zeros in 42 kB
        zeros = lambda descr, shape: npy([], descr, header="{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape))
        write(name, {"x": zeros("<f8", "(2500000, 2)") + bytes(40000000), "choice": zeros("|i1", "(2500000,)") + bytes(2500000)})
    elif name == "liar":  # says that x unpacks to less than it does
        write(name, arrays())
        data = bytearray(open("liar.npz", "rb").read())
        for start, field in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
            at = data.find(b"x.npy")
            while at >= 0:
                head = at - (46 if start == b"PK\x01\x02" else 30)
                if data[head:head + 4] == start:
                    size = struct.unpack_from("<I", data, head + field)[0]
                    struct.pack_into("<I", data, head + field, size - 16)
                at = data.find(b"x.npy", at + 1)
        open("liar.npz", "wb").write(data)
    elif name == "checksum":
        write(name, arrays(), zipfile.ZIP_STORED)
        data = bytearray(open("checksum.npz", "rb").read())
        at = data.find(struct.pack("<16d", *[c for r in x for c in r]))
        data[at + 6] ^= 1
        open("checksum.npz", "wb").write(data)
    elif name == "short":
        write(name, arrays())
        data = open("short.npz", "rb").read()
        open("short.npz", "wb").write(data[:len(data) // 2])
    elif name == "no-zip":
        open("no-zip.npz", "wb").write(npy(x, "<f8"))
    elif name == "nothing":
        zipfile.ZipFile("nothing.npz", "w").close()
    elif name == "readme":
        with zipfile.ZipFile("readme.npz", "w") as archive:
            archive.writestr("readme.txt", "no arrays")
    elif name == "table":
        with open("table.csv", "w") as file:
            file.write("animal,session,trial,x1,x2,choice,reward,novelty,gap\n")
            show = lambda v: "" if v != v else "%g" % v
            for i in range(len(animal)):
                file.write(",".join([animal[i], session[i], str(trial[i]), show(x[i][0]), show(x[i][1]), show(choice[i]),
                                     show(reward[i]), show(novelty[i]), show(gap[i])]) + "\n")
    elif name == "pause":  # the gap, by another name
        write(name, arrays(pause=npy(gap, "<f8")))


for name, made in {**good(), **bad()}.items():
    write(name, made, zipfile.ZIP_STORED if name == "stored" else zipfile.ZIP_DEFLATED)
for name in ("bomb", "liar", "checksum", "short", "no-zip", "nothing", "readme", "table", "pause"):
    special(name)
print(" ".join(good()))
