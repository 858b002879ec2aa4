"""Do the links of README.md, doc/ and the plugins' READMEs lead to a file, and to a heading of it?

    python3 tests/docs/links.py ROOT
"""
import glob
import os
import re
import sys


def headings(path):
    """The anchors of a page: those that it names ({#here}), and GitHub's of its headings."""
    with open(path, encoding='utf-8') as file:
        text = re.sub(r'(?ms)^```.*?^```', '', file.read())
    anchors = set(re.findall(r'\{#([\w-]+)\}', text)) | set(re.findall(r'(?:id|name)="([\w-]+)"', text))
    for heading in re.findall(r'(?m)^#+ +(.*?)\s*(?:\{#.*)?$', text):
        plain = re.sub(r'[`*]|\[([^\]]*)\]\([^)]*\)', lambda m: m[1] or '', heading).lower()
        anchors.add(re.sub(r'[^\w\- ]', '', plain).strip().replace(' ', '-'))
    return anchors


def main(root):
    pages = [os.path.join(root, p) for p in ('README.md', 'CONTRIBUTING.md', 'RELEASING.md', 'SECURITY.md')]
    for pattern in ('doc/**/*.md', 'plugins/**/*.md', 'bench/*.md', 'examples/**/*.md'):
        pages += glob.glob(os.path.join(root, pattern), recursive=True)
    bad = n = 0
    for page in sorted(pages):
        with open(page, encoding='utf-8') as file:
            text = re.sub(r'(?ms)^```.*?^```', '', file.read())
        text = re.sub(r'(?m)^    .*$|`[^`]*`', '', text)
        for target in re.findall(r'\]\(([^)\s]+)\)', text):
            if re.match(r'[a-z]+:', target):
                continue
            n += 1
            path, _, anchor = target.partition('#')
            where = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if path.startswith('gallery/'):
                continue  # made by `make docs`
            if not os.path.exists(where):
                print(f'{os.path.relpath(page, root)}: {target}: there is no such file')
                bad += 1
            elif anchor and where.endswith('.md') and anchor not in headings(where):
                print(f'{os.path.relpath(page, root)}: {target}: no heading of that name')
                bad += 1
    print(n, 'links')
    return bad > 0 or n < 100


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
