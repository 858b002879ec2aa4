"""look.py BROWSER PAGE.html WIDTH: open a report in a headless browser and say what is wrong in it.

A script is put into a copy of the page. It measures what the browser laid out and leaves its findings in the page,
from where --dump-dom brings them here. Prints one line for each fault; exits with 1 where there is any.
"""

import html
import json
import os
import re
import subprocess
import sys
import tempfile

PROBE = """
<script>
addEventListener('load', () => {
  const faults = [], wide = document.documentElement;
  if (wide.scrollWidth > wide.clientWidth + 1)
    faults.push('the page is wider than the window: ' + wide.scrollWidth + ' > ' + wide.clientWidth);
  const name = e => (e.textContent || e.tagName).trim().slice(0, 40);
  for (const e of document.querySelectorAll('h1, h2, h3, p, li, figcaption, summary')) {
    const b = e.getBoundingClientRect();
    if (b.width > 0 && b.right > wide.clientWidth + 1) faults.push('clipped: ' + name(e));
  }
  const open = document.querySelectorAll('details');
  for (const d of open) d.open = true;
  for (const svg of document.querySelectorAll('figure svg')) {
    const figure = (svg.closest('[aria-label]') || svg).getAttribute('aria-label') || '?';
    const frame = svg.getBoundingClientRect(), seen = [];
    for (const t of svg.querySelectorAll('text')) {
      const b = t.getBoundingClientRect();
      if (b.width === 0 || !t.textContent.trim()) continue;
      if (b.left < frame.left - 3 || b.right > frame.right + 3 || b.top < frame.top - 3 || b.bottom > frame.bottom + 3)
        faults.push('cut off in ' + figure.slice(0, 30) + ': ' + name(t));
      if (!/rotate/.test(t.parentNode.getAttribute('transform') || '')) seen.push([b, t]);
    }
    const scale = frame.width / svg.viewBox.baseVal.width || 1;
    for (let i = 0; i < seen.length; i++)
      for (let k = i + 1; k < seen.length; k++) {
        const a = seen[i][0], b = seen[k][0], by = 3 * scale;
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > by && y > 2 * by)
          faults.push('one over the other in ' + figure.slice(0, 30) + ': ' + name(seen[i][1]) + ' | ' + name(seen[k][1]));
      }
  }
  for (const f of document.querySelectorAll('figure')) {
    const image = f.querySelector('[role=img]');
    if (!image || !image.getAttribute('aria-label').trim()) faults.push('a figure without a text in its place');
  }
  let level = 0;
  for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
    const now = +h.tagName[1];
    if (now > level + 1) faults.push('a heading is skipped before: ' + name(h));
    level = now;
  }
  for (const t of document.querySelectorAll('table'))
    if (!t.querySelector('th[scope]')) faults.push('a table without headers');
  const left = document.createElement('pre');
  left.id = 'faults';
  left.textContent = JSON.stringify(faults);
  document.body.append(left);
});
</script>
"""


def look(browser, page, width):
    with tempfile.TemporaryDirectory() as folder:
        with open(page, encoding="utf-8") as f:
            text = f.read()
        copy = os.path.join(folder, "page.html")
        with open(copy, "w", encoding="utf-8") as f:
            f.write(text.replace("</head>", PROBE + "</head>", 1))
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + folder,
             "--window-size=%d,1200" % width, "--dump-dom", "file://" + copy],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, check=False)
    found = re.search(r'<pre id="faults">(.*?)</pre>', done.stdout.decode("utf-8", "replace"), re.S)
    if found is None:
        return ["the browser did not show the page (exit %d)" % done.returncode]
    return json.loads(html.unescape(found.group(1)))


def main():
    faults = look(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    for fault in faults[:12]:
        print(fault)
    sys.exit(1 if faults else 0)


main()
