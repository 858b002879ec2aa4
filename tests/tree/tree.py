#!/usr/bin/env python3
"""Measures the tree of sources, and holds what must stay.

    tests/tree/tree.py [ROOT]          prints the measures
    tests/tree/tree.py --list [ROOT]   prints every place behind them, too
    tests/tree/tree.py --tap [ROOT]    a TAP test of the checks in the table CHECKS

Plain Python, no other program: the sources are split into code, comments and strings by one regular expression, and
functions are found by their braces. That is right for C as clang-format writes it.
"""
import collections
import glob
import os
import re
import sys

FOLDERS = ('core', 'plugins', 'include', 'tests')
MAX_COLUMNS = 100
MAX_FUNCTION_LINES = 50
MAX_ARGUMENTS = 6
MAX_FOLDER_LINES = 4300
MIN_CHANGES = 11  # rows of the table "Where a change goes"

# Names of the host's methods; names of plugins are read from the tree. The file DATA_NAMES alone compares with names of
# data (targets, channels, signals), some of which plugins have, too.
METHODS = '''adam lm lbfgs owlqn fisher sandwich profile bootstrap parametric window exponential steps padded sum
             trials animals folds blocks holdout marginal mean'''.split()
DATA_NAMES = 'core/data/data_names.c'

# The checks of --tap: (on, name, function below). Switch one on when it holds; it then holds for good.
CHECKS = [
    (True, 'folders of core include one another in one direction', 'folder_circles'),
    (True, 'folders of core include those of lower lines of "Layers" in doc/architecture.md', 'layer_breaks'),
    (True, 'files of a folder of core include one another in one direction', 'file_circles'),
    (True, 'files of a folder of core call one another in one direction', 'call_circles'),
    (True, f'no line of C above {MAX_COLUMNS} columns', 'long_lines'),
    (True, 'no chained status (status = status == PF_OK ? ...)', 'chained_statuses'),
    (True, 'no loop head that tests a status', 'status_loops'),
    (True, f'no function of core above {MAX_ARGUMENTS} arguments', 'wide_functions'),
    (True, f'no function of core above {MAX_FUNCTION_LINES} lines, tables apart', 'long_functions'),
    (True, 'no static function of core with a one-word name', 'one_word_functions'),
    (True, 'one file of core includes ltdl.h', 'ltdl_files'),
    (True, 'one file of core includes libconfig.h', 'libconfig_files'),
    (True, 'no file name twice in core', 'names_twice'),
    (True, f'no folder of core above {MAX_FOLDER_LINES} lines', 'large_folders'),
    (True, 'no file of core compares with the name of a method or plugin', 'name_comparisons'),
    (True, 'doc/architecture.md names the folders of core, all and no other', 'described_folders'),
    (True, 'files that documents and comments name are there', 'stale_paths'),
    (True, 'doc/architecture.md: every path of "Where a change goes" exists', 'changes'),
]

# A parameter of a kernel: a number, a vector of numbers, or of what steps are (pf_segment, pf_update). Types that make a
# function one that a library calls.
PARAMETER = re.compile(r'(?:const )?(?:pf_real|double|u?int(?:64|32|8)_t|size_t|bool|pf_segment|pf_update) \*?(?:const )?(?:restrict )?\*?\w+(?:\[\w*\])?')
LIBRARY_TYPES = r'\blbfgsfloatval_t\b'

TOKEN = re.compile(r'''(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')''', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def blank(text):
    return re.sub(r'[^\n]', ' ', text)


class Source:
    """One file: `text`; `code`, the same without comments and with empty strings; `comments`."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding='utf-8') as file:
            self.text = file.read()
        self.lines = self.text.split('\n')
        if self.lines[-1] == '':
            self.lines.pop()
        self.code = TOKEN.sub(lambda m: blank(m[0]) if m['comment'] else m[0][0] + blank(m[0][1:-1]) + m[0][0],
                              self.text)
        self.no_comments = TOKEN.sub(lambda m: blank(m[0]) if m['comment'] else m[0], self.text)
        self.comments = TOKEN.sub(lambda m: m[0] if m['comment'] else blank(m[0]), self.text)
        self.folder = os.path.dirname(path)
        self.includes = [(m[1], m[2]) for m in INCLUDE.finditer(self.no_comments)]

    def count_lines(self):
        """(code, comment alone, blank)"""
        code = comment = 0
        for line, rest in zip(self.lines, self.no_comments.split('\n')):
            if rest.strip():
                code += 1
            elif line.strip():
                comment += 1
        return code, comment, len(self.lines) - code - comment

    def functions(self):
        """Functions that are defined here: (name, first line, lines from head to closing brace, arguments, static)."""
        code = self.code
        # directives, with their continued lines; what stands behind #else starts from the braces of its #if
        marks = re.compile(r'^[ \t]*#[ \t]*(?P<word>\w*)(?:\\\n|[^\n])*|[{};]', re.M)
        depth, start, opened, saved, found = 0, 0, None, [], []
        for mark in marks.finditer(code):
            token = mark[0]
            if mark['word'] is not None:
                word = mark['word']
                if word in ('if', 'ifdef', 'ifndef'):
                    saved.append((depth, opened))
                elif word in ('else', 'elif') and saved:
                    depth, opened = saved[-1]
                elif word == 'endif' and saved:
                    saved.pop()
                if depth == 0:
                    start = mark.end()
            elif token == '{':
                if depth == 0:
                    if re.search(r'\bextern\s*"\s*"\s*$', code[start:mark.start()]):
                        start = mark.end()
                        continue  # extern "C" {
                    opened = (start, mark.start())
                depth += 1
            elif token == '}':
                depth = max(depth - 1, 0)
                if depth == 0:
                    if opened is not None:
                        found.append((*opened, mark.end()))
                    opened, start = None, mark.end()
            elif depth == 0:
                start = mark.end()
        for head_at, brace, end in found:
            head = code[head_at:brace]
            parsed = parse_head(head)
            if parsed is None:
                continue
            name, arguments = parsed
            first = code.count('\n', 0, head_at + len(head) - len(head.lstrip())) + 1
            last = code.count('\n', 0, end) + 1
            static = re.search(r'\bstatic\b|\bPF_INLINE\b', head) is not None
            yield name, first, last - first + 1, arguments, static


def parse_head(head):
    """(name, number of arguments) of a function's head, None where it is a struct, an enum or an array."""
    head = head.rstrip()
    if not head.endswith(')'):
        return None
    depth, at = 0, len(head)
    while at > 0:
        at -= 1
        depth += (head[at] == ')') - (head[at] == '(')
        if depth == 0:
            break
    name = re.search(r'(\w+)\s*$', head[:at])
    if name is None or '=' in head[:at]:
        return None
    inside = head[at + 1:-1].strip()
    if inside in ('', 'void'):
        return name[1], 0
    depth, arguments = 0, 1
    for c in inside:
        depth += (c in '([{') - (c in ')]}')
        arguments += c == ',' and depth == 0
    return name[1], arguments


def find_circles(edges):
    """Strongly connected components of more than one node (Tarjan), largest first."""
    index, low, stack, on_stack, out = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = []
            while True:
                circle.append(stack.pop())
                on_stack.discard(circle[-1])
                if circle[-1] == node:
                    break
            if len(circle) > 1:
                out.append(sorted(circle))

    sys.setrecursionlimit(10000)
    for node in sorted(edges):
        if node not in index:
            visit(node)
    return sorted(out, key=lambda circle: (-len(circle), circle))


class Tree:
    def __init__(self, root):
        self.root = root
        paths = []
        for top in FOLDERS:
            for folder, folders, files in os.walk(os.path.join(root, top)):
                folders[:] = [f for f in folders if not f.startswith('.')]
                paths += [os.path.relpath(os.path.join(folder, f), root) for f in files if f.endswith(('.c', '.h'))]
        self.sources = {path: Source(root, path) for path in sorted(paths)}
        if not self.core():
            sys.exit(f'tree.py: no sources in {root}/core')
        self.all_functions = {path: list(s.functions()) for path, s in self.sources.items()}

    def core(self, ending=''):
        return [s for p, s in self.sources.items() if p.startswith('core/') and p.endswith(ending)]

    def resolve(self, source, quote, name):
        """The file of the tree that an #include names, or None."""
        here = [os.path.normpath(os.path.join(source.folder, name))] if quote == '"' else []
        for path in here + [name, os.path.join('include', name)]:
            if path in self.sources:
                return path
        return None

    def included(self, source):
        return {path for path in (self.resolve(source, *i) for i in source.includes) if path is not None}

    def seen_headers(self, source):
        """Every header of the tree that a file includes, by way of others too."""
        seen, left = set(), [source.path]
        while left:
            for path in self.included(self.sources[left.pop()]):
                if path not in seen:
                    seen.add(path)
                    left.append(path)
        return seen

    # ---- each gives the places where it was found ----

    def folder_circles(self):
        edges = collections.defaultdict(set)
        for source in self.core():
            edges[source.folder] |= {os.path.dirname(p) for p in self.included(source)
                                     if p.startswith('core/')} - {source.folder}
        return [' <-> '.join(circle) for circle in find_circles(edges)]

    def layer_breaks(self):
        """Includes that go to a folder's own line of the picture under "Layers", or above; folders that it lacks."""
        with open(os.path.join(self.root, 'doc', 'architecture.md'), encoding='utf-8') as file:
            section = re.search(r'^#+ Layers.*?\n(.*?)(?=^#+ |\Z)', file.read(), re.S | re.M)
        pictured = [line.split() for line in section[1].split('\n') if line.startswith('    ')] if section else []
        line_of = {word: n for n, words in enumerate(pictured) for word in words}
        places = set()
        for source in self.core():
            here = source.folder.split('/')[1]
            if here not in line_of:
                places.add(f'not in the picture: {here}')
            for path in self.included(source):
                there = path.split('/')[1]
                if path.startswith('core/') and there != here and line_of.get(there, 99) <= line_of.get(here, -1):
                    places.add(f'{source.path} includes {path}')
        return sorted(places)

    def file_circles(self):
        """A file is its .c and its .h."""
        edges = collections.defaultdict(set)
        for source in self.core():
            stem = source.path[:-2]
            edges[stem] |= {p[:-2] for p in self.included(source) if os.path.dirname(p) == source.folder} - {stem}
        return [f'{os.path.dirname(c[0])}: {len(c)} files: ' + ' '.join(os.path.basename(p) for p in c)
                for c in find_circles(edges)]

    def call_circles(self):
        """As file_circles, with an edge also to the file that defines a function which is used."""
        home = {}
        for source in self.core('.c'):
            for name, *_, static in self.all_functions[source.path]:
                if not static:
                    home[name] = source
        edges = collections.defaultdict(set)
        for source in self.core():
            stem = source.path[:-2]
            edges[stem] |= {p[:-2] for p in self.included(source) if os.path.dirname(p) == source.folder} - {stem}
            if source.path.endswith('.c'):
                words = set(re.findall(r'\b[A-Za-z_]\w*\b', source.code))
                edges[stem] |= {home[w].path[:-2] for w in words & home.keys()
                                if home[w].folder == source.folder} - {stem}
        return [f'{os.path.dirname(c[0])}: {len(c)} files: ' + ' '.join(os.path.basename(p) for p in c)
                for c in find_circles(edges)]

    def long_lines(self, top=FOLDERS):
        return [f'{p}:{n}: {len(line)} columns' for p, s in self.sources.items() if p.split('/')[0] in top
                for n, line in enumerate(s.lines, 1) if len(line) > MAX_COLUMNS]

    def code_matches(self, pattern, sources=None):
        compiled = re.compile(pattern, re.S)
        return [f'{s.path}:{s.code.count(chr(10), 0, m.start()) + 1}: ' + ' '.join(m[0].split())
                for s in (sources or self.core()) for m in compiled.finditer(s.code)]

    def chained_statuses(self):
        sources = [s for s in self.sources.values() if not s.path.startswith('tests/')]
        return self.code_matches(r'\b(\w+)\s*=\s*\1\s*==\s*PF_OK\b', sources)

    def status_loops(self):
        """Heads as for (...; i < n && status == PF_OK; ...), whose condition hides an if."""
        head = r'\b(?:for|while)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)'
        return [place for place in self.code_matches(head) if re.search(r'&& \w+ == PF_OK|\w+ == PF_OK &&', place)]

    def conditionals(self):
        return self.code_matches(r'\?')

    def includes_of(self, header):
        return [s.path for s in self.sources.values() if any(name == header for _, name in s.includes)]

    def ltdl_files(self):
        files = self.includes_of('ltdl.h')
        return [] if len(files) == 1 else [f'ltdl.h is included by {len(files)} files: ' + ' '.join(files)]

    def libconfig_files(self):
        files = self.includes_of('libconfig.h')
        return [] if len(files) == 1 else [f'libconfig.h is included by {len(files)} files: ' + ' '.join(files)]

    def names_twice(self):
        names = collections.defaultdict(list)
        for source in self.core():
            names[os.path.basename(source.path)].append(source.folder)
        return [f'{name}: ' + ' '.join(folders) for name, folders in sorted(names.items()) if len(folders) > 1]

    def folder_lines(self):
        lines = collections.Counter()
        for source in self.core():
            lines[source.folder] += len(source.lines)
        return lines

    def large_folders(self):
        return [f'{folder}: {n} lines' for folder, n in sorted(self.folder_lines().items()) if n > MAX_FOLDER_LINES]

    def name_comparisons(self):
        plugins = {os.path.basename(os.path.dirname(p))
                   for p in glob.glob(os.path.join(self.root, 'plugins', '*', '*', 'plugin.mk'))}
        names = '|'.join(sorted(plugins | set(METHODS)))
        compiled = re.compile(rf'\b\w*(?:strn?cmp|strcasecmp|equals?|same|is_named)\w*\([^;{{}}]*?"(?:{names})"')
        return [f'{s.path}:{s.text.count(chr(10), 0, m.start()) + 1}: ' + ' '.join(m[0].split())
                for s in self.core() if s.path != DATA_NAMES for m in compiled.finditer(s.no_comments)]

    def functions(self):
        """(path, name, first line, lines, arguments, static) of core."""
        return [(s.path, *f) for s in self.core() for f in self.all_functions[s.path]]

    def long_functions(self):
        """The rows of a constant table do not count: static const ... = {...}; in a function."""
        found = []
        for path, name, at, n, _, _ in self.functions():
            body = '\n'.join(self.sources[path].code.split('\n')[at - 1:at - 1 + n])
            n -= sum(m[0].count('\n') for m in re.finditer(r'\bstatic const [^;{]*\[\] = \{.*?^  \};', body, re.S | re.M))
            if n > MAX_FUNCTION_LINES:
                found.append(f'{path}:{at}: {name}, {n} lines')
        return found

    def wide_functions(self):
        """Two kinds may have more: kernels, of numbers and vectors alone as in BLAS; what a library calls."""
        found = []
        for source in self.core():
            for name, at, _, args, _ in self.all_functions[source.path]:
                head = '\n'.join(source.code.split('\n')[at - 1:]).split('{')[0]
                others = PARAMETER.sub('', head.split('(', 1)[1]).strip(') \n,')
                is_kernel = source.path.endswith('kernels.c') and not others
                if args > MAX_ARGUMENTS and not is_kernel and not re.search(LIBRARY_TYPES, head):
                    found.append(f'{source.path}:{at}: {name}, {args} arguments')
        return found

    def one_word_functions(self):
        return [f'{p}:{at}: {name}' for p, name, at, _, _, static in self.functions()
                if static and re.fullmatch(r'[a-z0-9]+', name)]

    def described_folders(self):
        """Folders of core that doc/architecture.md does not name, and those that it names and are not there."""
        with open(os.path.join(self.root, 'doc', 'architecture.md'), encoding='utf-8') as file:
            named = set(re.findall(r'\bcore/\w+\b(?!\.)', file.read()))
        there = {'/'.join(s.folder.split('/')[:2]) for s in self.core()}
        return [f'not named: {f}' for f in sorted(there - named)] + [f'not there: {f}' for f in sorted(named - there)]

    def stale_paths(self):
        """Files of the tree that documents, comments and scripts name, and that are not there."""
        files = [(p, s.comments) for p, s in self.sources.items()]
        for top in ('', 'doc', 'bench', 'examples', 'configs', 'python') + FOLDERS:
            for path in sorted(glob.glob(os.path.join(self.root, top, *(['**'] if top else []), '*'), recursive=True)):
                if path.endswith(('.md', '.sh', '.tap', '.py', '.cfg', 'NEWS')) and not os.path.isdir(path):
                    with open(path, encoding='utf-8') as file:
                        files.append((os.path.relpath(path, self.root), file.read()))
        tops = '|'.join(FOLDERS + ('doc', 'bench', 'configs', 'examples', 'python'))
        named = re.compile(rf'(?<![\w/.$}}*-])(?:{tops})/[\w./-]+\.(?:c|h|md|cfg|sh|mk|tap|py|csv)(?![\w/*])')
        return [f'{path}:{text.count(chr(10), 0, m.start()) + 1}: {m[0]}' for path, text in files
                for m in named.finditer(text)
                if m[0] != 'configs/t.cfg' and '/NAME/' not in m[0]  # made up, in examples
                and not os.path.exists(os.path.join(self.root, m[0]))]

    def changes(self):
        """Paths in the table under "Where a change goes" that are not there; <name> in them stands for any name."""
        with open(os.path.join(self.root, 'doc', 'architecture.md'), encoding='utf-8') as file:
            text = file.read()
        section = re.search(r'^#+ Where a change goes.*?\n(.*?)(?=^#+ |\Z)', text, re.S | re.M)
        if section is None:
            return ['doc/architecture.md has no section "Where a change goes"']
        rows = [line for line in section[1].split('\n') if line.startswith('|')][2:]
        missing = [] if len(rows) >= MIN_CHANGES else [f'the table has {len(rows)} rows, not {MIN_CHANGES} or more']
        for row in rows:
            paths = [p for p in re.findall(r'`([^`]+)`', row) if '/' in p and ' ' not in p]
            if not paths:
                missing.append(f'no path in: {row}')
            for path in paths:
                if not glob.glob(os.path.join(self.root, re.sub(r'<[^>]*>', '*', path))):
                    missing.append(f'not there: {path}')
        return missing

    # ---- what is printed ----

    def print_measures(self, places):
        lines = sum(len(s.lines) for s in self.core())
        print(f'lines of core               {lines} in {len(self.core())} files')
        for folder, n in sorted(self.folder_lines().items()):
            print(f'  {folder:26}{n}')
        code = sum(len(''.join(s.no_comments.split())) for s in self.core())
        print(f'characters of code in core  {code}, without white space and comments: whatever the length of lines')
        for top in FOLDERS[1:]:
            print(f'lines of {top:19}{sum(len(s.lines) for p, s in self.sources.items() if p.startswith(top + "/"))}')

        print(f'headers of core, largest    .c files of core that see it (of {len(self.core(".c"))})')
        seen = collections.Counter(h for s in self.core('.c') for h in self.seen_headers(s))
        for header in sorted(self.core('.h'), key=lambda s: -len(s.lines))[:5]:
            print(f'  {header.path:40}{len(header.lines):5} lines  {seen[header.path]:5}')
        print('headers of core, most seen')
        for header in sorted(self.core('.h'), key=lambda s: -seen[s.path])[:5]:
            print(f'  {header.path:40}{len(header.lines):5} lines  {seen[header.path]:5}')

        self.print_count('circles between folders', self.folder_circles(), True)
        self.print_count('circles inside folders', self.file_circles(), True)

        self.print_count('  counting calls', self.call_circles(), True)

        functions = self.functions()
        static = sum(1 for f in functions if f[5])
        sizes = sorted(f[3] for f in functions)
        print(f'functions of core           {len(functions)}, {static} of them static; lines: median '
              f'{sizes[len(sizes) // 2]}, 90 % {sizes[len(sizes) * 9 // 10]}, largest {sizes[-1]}')
        self.print_count(f'  above {MAX_FUNCTION_LINES} lines', self.long_functions(), places)
        self.print_count(f'  above {MAX_ARGUMENTS} arguments', self.wide_functions(), places)
        self.print_count('  static, one-word name', self.one_word_functions(), places)

        conditionals = len(self.conditionals())
        print(f'?: in core                  {conditionals}, {1000 * conditionals / lines:.1f} a thousand lines')
        chained = self.chained_statuses()
        in_core = sum(place.startswith('core/') for place in chained)
        self.print_count('chained statuses', chained, places, f', {in_core} of them in core')
        self.print_count('loop heads with a status', self.status_loops(), places)
        for top in FOLDERS:
            long_lines = self.long_lines((top,))
            total = sum(len(s.lines) for p, s in self.sources.items() if p.split('/')[0] == top)
            self.print_count(f'above {MAX_COLUMNS} columns, {top}', long_lines, places,
                             f' of {total}, {100 * len(long_lines) / total:.1f} %')

        for name, ending in (('comments, core', ''), ('comments, .c of core', '.c'), ('comments, .h of core', '.h')):
            counts = [s.count_lines() for s in self.core(ending)]
            code, comment = sum(c[0] for c in counts), sum(c[1] for c in counts)
            print(f'{name:28}{comment} lines alone, {comment / code:.3f} of the lines of code, '
                  f'{100 * comment / sum(map(sum, counts)):.1f} % of all')
        self.print_count('file names twice in core', self.names_twice(), True)
        self.print_count('strcmp with a name', self.name_comparisons(), places)

    @staticmethod
    def print_count(name, found, places, more=''):
        print(f'{name:28}{len(found)}{more}')
        for place in found if places else ():
            print(f'  {place}')

    def run_checks(self):
        on = [check for check in CHECKS if check[0]]
        failed = False
        for n, (_, name, method) in enumerate(on, 1):
            found = getattr(self, method)()
            failed = failed or bool(found)
            print(f'{"not ok" if found else "ok"} {n} - {name}')
            for place in found[:20]:
                print(f'# {place}')
            if len(found) > 20:
                print(f'# and {len(found) - 20} more: tests/tree/tree.py --list')
        print(f'1..{len(on)}')
        return 1 if failed else 0


def main(arguments):
    options = [a for a in arguments if a.startswith('--')]
    folders = [a for a in arguments if not a.startswith('--')]
    if set(options) - {'--tap', '--list'} or len(folders) > 1:
        sys.exit(__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    root = folders[0] if folders else os.path.normpath(os.path.join(here, '..', '..'))
    tree = Tree(root)
    if '--tap' in options:
        return tree.run_checks()
    tree.print_measures('--list' in options)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
