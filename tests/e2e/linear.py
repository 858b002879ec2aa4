"""Linear equations, for tests that fit logistic regressions in plain Python."""


def solve(a, b):
    n = len(b)
    a = [row[:] + [b[i]] for i, row in enumerate(a)]
    for i in range(n):
        p = max(range(i, n), key=lambda m: abs(a[m][i]))
        a[i], a[p] = a[p], a[i]
        for m in range(n):
            if m != i:
                f = a[m][i] / a[i][i]
                a[m] = [u - f * v for u, v in zip(a[m], a[i])]
    return [a[i][n] / a[i][i] for i in range(n)]
