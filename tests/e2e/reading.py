"""Layouts of public recordings (cases/layouts.md), rebuilt small with made-up numbers: for each a file, a config, and what
`plastfit check` must find in it: animals, sessions, trials, the share of choices other than 0, the mean reward."""
import random

random.seed(15)
ARMS = """network: { plugin = "feedforward"; layers = [%d, %d]; output = "linear"; };
rules: { learn: { plugin = "taylor"; terms = "w + x r"; modulator = "reward"; }; };
losses = ( { plugin = "categorical"; categories = %d; } );
fit: { per = "shared"; optimiser = "lm"; };
"""
cases = []


def layout(name, source, inputs, arms, animals, sessions, choices, rewards, trials=None):
    with open(name + ".cfg", "w") as f:
        f.write('name = "%s";\nsource: { plugin = "table"; %s };\n' % (name, source) + ARMS % (inputs, arms, arms))
    seen = [c for c in choices if c is not None]
    paid = [r for r in rewards if r is not None]
    cases.append("%s %d %d %d %d %.1f %.3g" % (name, animals, sessions, trials or len(choices), len(choices),
                                          100 * sum(c > 0 for c in seen) / len(seen), sum(paid) / len(paid)))


def write(name, text, encoding="utf-8", newline=""):
    with open(name, "w", encoding=encoding, newline=newline) as f:
        f.write(text)


def lives(animals, trials, arms, missed=0.0):
    out = []
    for a in range(animals):
        for t in range(trials):
            c = None if random.random() < missed else random.randrange(arms)
            out.append((a, t, c, None if c is None else int(random.random() < 0.3 + 0.2 * c)))
    return out


# hBayesDM: TSV, choice 1/2, outcome -1/1, no input column
rows = lives(4, 12, 2)
write("hbayesdm.tsv", "subjID\ttrial\tchoice\toutcome\n" +
      "".join("%d\t%d\t%d\t%d\n" % (a + 1, t + 1, c + 1, 2 * r - 1) for a, t, c, r in rows))
layout("hbayesdm", 'path = "hbayesdm.tsv"; columns: { animal = "subjID"; reward = "outcome"; inputs = ["1"]; };', 1, 2, 4, 4,
       [c for _, _, c, _ in rows], [2 * r - 1 for _, _, _, r in rows])
# four arms
rows = lives(3, 15, 4)
write("four.tsv", "subjID\ttrial\tchoice\tgain\tloss\n" + "".join("%d\t%d\t%d\t%d\t0\n" % (a, t, c + 1, 50 * r) for a, t, c, r in rows))
layout("four", 'path = "four.tsv"; columns: { animal = "subjID"; reward = "gain"; inputs = ["1"]; };', 1, 4, 3, 3,
       [c for _, _, c, _ in rows], [50 * r for _, _, _, r in rows])
# go/no-go with a cue of 1 to 4
rows = [(a, t, random.randrange(2), random.randrange(1, 5)) for a in range(3) for t in range(16)]
write("gng.tsv", "subjID\tcue\tkeyPressed\toutcome\n" + "".join("%d\t%d\t%d\t%s\n" % (a, q, c, "1" if c and t % 2 else "0" if c else "")
                                                      for a, t, c, q in rows))
layout("gng", 'path = "gng.tsv"; one_hot = ["cue"]; columns: { animal = "subjID"; choice = "keyPressed"; reward = "outcome"; '
       'trial = ""; };', 4, 2, 3, 3, [c for _, _, c, _ in rows], [t % 2 for _, t, c, _ in rows if c],
       sum(c or t == 15 for _, t, c, _ in rows))
# mouse_bandit: `Mouse ID`, 0.0 and 1.0; and headerless files, one a session
rows = lives(3, 10, 2)
write("mouse.csv", "Mouse ID,Session ID,Decision,Reward\n" + "".join("m%d,s%d,%.1f,%.1f\n" % (a, t // 5, c, r) for a, t, c, r in rows))
layout("mouse", 'path = "mouse.csv"; kind = "choice"; columns: { animal = "Mouse ID"; session = "Session ID"; choice = "Decision"; '
       'inputs = ["1"]; };', 1, 2, 3, 6, [c for _, _, c, _ in rows], [r for _, _, _, r in rows])
for s in range(3):
    write("session%d.csv" % s, "".join("%d,%d\n" % (c, r) for a, _, c, r in rows if a == s))
layout("headerless", 'path = "session*.csv"; files = "session"; names = ["choice", "reward"]; kind = "choice"; '
       'columns: { inputs = ["1"]; };', 1, 2, 1, 3, [c for _, _, c, _ in rows], [r for _, _, _, r in rows])
# exploration: CRLF, trial restarts in a block
rows = lives(2, 20, 2)
write("explore.csv", "subject,block,trial,choice,reward\r\n" +
      "".join("%d,%d,%d,%d,%d\r\n" % (a, 1 + t // 5, 1 + t % 5, c + 1, r * 7 - 3) for a, t, c, r in rows))
layout("explore", 'path = "explore.csv"; columns: { animal = "subject"; inputs = ["1"]; };', 1, 2, 2, 2,
       [c for _, _, c, _ in rows], [r * 7 - 3 for _, _, _, r in rows])
# foraging with missed trials
rows = lives(2, 30, 2, 0.2)
write("missed.csv", "animal,session,trial,choice,reward\n" +
      "".join("%d,%d,%d,%s,%s\n" % (a, t // 10, t, "n/a" if c is None else "LR"[c], "NA" if r is None else ["FALSE", "TRUE"][r])
              for a, t, c, r in rows))
layout("missed", 'path = "missed.csv"; columns: { inputs = ["1"]; };', 1, 2, 2, 6, [c for _, _, c, _ in rows], [r for _, _, _, r in rows])
# matrices: a row a fly, a column a trial
rows = lives(5, 8, 2)
for name, k in (("choices", 2), ("rewards", 3)):
    write(name + ".csv", "".join(",".join("%.18e" % r[k] for r in rows if r[0] == a) + "\n" for a in range(5)))
write("schedules.csv", "".join("exp%d.csv\n" % a for a in range(5)))
layout("matrices", 'kind = "choice"; matrices = ( { column = "choice"; path = "choices.csv"; }, { column = "reward"; path = "rewards.csv"; }, '
       '{ column = "experiment"; path = "schedules.csv"; } ); columns: { inputs = ["1"]; };', 1, 2, 5, 5,
       [c for _, _, c, _ in rows], [r for _, _, _, r in rows])
# guppies: BOM, CRLF, text everywhere, rows of commas at the end; German Excel: semicolons and decimal commas
rows = lives(3, 9, 2)
write("guppy.csv", "\ufeffID,Trial,Object,Rewarded\r\n" + "".join(
    "g%d,%d,%s,%s\r\n" % (a, t, ["blue", "green"][c], ["False", "True"][r]) for a, t, c, r in rows) + ",,,\r\n,,,\r\n")
layout("guppy", 'path = "guppy.csv"; columns: { animal = "ID"; choice = "Object"; reward = "Rewarded"; inputs = ["1"]; };', 1, 2, 3, 3,
       [c for _, _, c, _ in rows], [r for _, _, _, r in rows])
write("excel.csv", "# exported\n# by hand\nTier;Trial;Choice;Reward;Size\n" + "".join(
    "T%d;%d;%d;%s;%s\n" % (a, t, c, str(r + 0.5).replace(".", ","), "1,25") for a, t, c, r in rows))
layout("excel", 'path = "excel.csv"; kind = "choice"; columns: { animal = "tier"; inputs = ["Size"]; };', 1, 2, 3, 3,
       [c for _, _, c, _ in rows], [r + 0.5 for _, _, _, r in rows])
write("cases", "\n".join(cases) + "\n")
