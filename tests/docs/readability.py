"""How hard are the guides to read? Words a sentence, the share of long sentences, Flesch reading ease.

    python3 tests/docs/readability.py [--tap] [ROOT]

README.md and doc/*.md, without code, tables, links' targets and headings. Flesch's ease is 206.835 - 1.015 words a sentence
- 84.6 syllables a word; 60 is plain English, 30 a scientific paper. Syllables are counted by groups of vowels, so a page is
to be compared with itself. --tap fails a page that is harder than the limits below, which are what a page measured in
December 2026 plus a little.
"""
import glob
import os
import re
import sys

LONG = 30              # words
MAX_MEAN = 16.5        # words a sentence
MAX_SHARE = 0.07       # of sentences above LONG words
MIN_EASE = 48.0
SKIPPED = ('doc/decisions',)


def prose(text):
    """The sentences that a reader reads: paragraphs and list items."""
    text = re.sub(r'(?ms)^(```|~~~).*?^\1', '', text)
    text = re.sub(r'<!--.*?-->', '', text, flags=re.S)
    blocks, block = [], []
    for line in text.split('\n') + ['']:
        starts_item = re.match(r'\s*([-*]|\d+\.)\s', line)
        is_prose = line.strip() and not line.startswith(('    ', '|', '#', '\t')) and not line.lstrip().startswith('<')
        if block and (not is_prose or starts_item):
            blocks.append(' '.join(block))
            block = []
        if is_prose:
            block.append(re.sub(r'^\s*([-*]|\d+\.)\s', '', line).strip())
    sentences = []
    for b in blocks:
        b = re.sub(r'!?\[([^\]]*)\]\([^)]*\)', r'\1', b)
        b = re.sub(r'`[^`]*`', 'it', b)
        b = re.sub(r'[*_]{1,2}', '', b)
        b = re.sub(r'\b(e\.g|i\.e|et al|vs|Fig|Eq)\.', r'\1', b)
        sentences += [s for s in re.split(r'(?<=[.!?])["\')]?\s+', b) if len(words(s)) > 1]
    return sentences


def words(sentence):
    return re.findall(r"[A-Za-z][A-Za-z'-]*", sentence)


def syllables(word):
    word = word.lower()
    n = len(re.findall(r'[aeiouy]+', word))
    if word.endswith('e') and not word.endswith('le') and n > 1:
        n -= 1
    return max(n, 1)


def measure(path):
    with open(path, encoding='utf-8') as file:
        sentences = [words(s) for s in prose(file.read())]
    n_words = sum(len(s) for s in sentences)
    if not sentences or not n_words:
        return None
    mean = n_words / len(sentences)
    n_syllables = sum(syllables(w) for s in sentences for w in s)
    return {'sentences': len(sentences), 'mean': mean, 'long': sum(len(s) > LONG for s in sentences) / len(sentences),
            'ease': 206.835 - 1.015 * mean - 84.6 * n_syllables / n_words}


def main(arguments):
    tap = '--tap' in arguments
    root = ([a for a in arguments if not a.startswith('--')] or ['.'])[0]
    paths = [os.path.join(root, 'README.md')] + sorted(glob.glob(os.path.join(root, 'doc', '**', '*.md'), recursive=True))
    rows = [(os.path.relpath(p, root), measure(p)) for p in paths if not os.path.relpath(p, root).startswith(SKIPPED)]
    rows = [(p, m) for p, m in rows if m]
    failed = 0
    if tap:
        print(f'1..{len(rows)}')
    else:
        print(f"{'page':34}{'sentences':>10}{'words each':>12}{'long':>8}{'Flesch':>8}")
    for i, (path, m) in enumerate(rows):
        if not tap:
            print(f"{path:34}{m['sentences']:10d}{m['mean']:12.1f}{100 * m['long']:7.0f}%{m['ease']:8.0f}")
            continue
        good = m['mean'] <= MAX_MEAN and m['long'] <= MAX_SHARE and m['ease'] >= MIN_EASE
        failed += not good
        print(f"{'ok' if good else 'not ok'} {i + 1} - {path}: {m['mean']:.1f} words a sentence, {100 * m['long']:.0f} % above "
              f"{LONG}, Flesch {m['ease']:.0f}")
    total = sum(m['sentences'] for _, m in rows)
    if not tap:
        print(f"{'all':34}{total:10d}{sum(m['mean'] * m['sentences'] for _, m in rows) / total:12.1f}"
              f"{100 * sum(m['long'] * m['sentences'] for _, m in rows) / total:7.0f}%"
              f"{sum(m['ease'] * m['sentences'] for _, m in rows) / total:8.0f}")
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
