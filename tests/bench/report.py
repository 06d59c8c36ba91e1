#!/usr/bin/env python3
"""report.py RESULTS README: writes the table of speed between its marks in README, as ratios, and prints it."""
import json
import re
import sys


def value(results, program, *path):
    at = results.get(program, {})
    for name in path:
        at = at.get(name, {}) if isinstance(at, dict) else {}
    return at if isinstance(at, (int, float)) else None


# what, the path in the results, unit, factor, and whether the ratio to others means something
ROWS = [
    ("start to the child's text", ("start", "child_text_ms"), "ms", 1),
    ("key to its echo, median", ("echo", "p50_us"), "µs", 1),
    ("key to its echo, 99 of 100", ("echo", "p99_us"), "µs", 1),
    ("100 MB of log lines, taken at", ("swallow", "log100", "mb_per_s"), "MB/s", 1),
    ("… bytes to the terminal", ("swallow", "log100", "outer_bytes"), "kB", 1e-3),
    ("10 MB of dense colour, taken at", ("swallow", "colour10", "mb_per_s"), "MB/s", 1),
    ("… bytes to the terminal", ("swallow", "colour10", "outer_bytes"), "kB", 1e-3),
    ("… last text at a terminal of 1 MB/s after", ("swallow", "colour10_slow", "seen_s"), "s", 1),
    ("idle: bytes to the terminal", ("idle", "idle", "bytes_per_s"), "B/s", 1),
    ("idle: wakeups", ("idle", "idle", "wakeups_per_s"), "/s", 1),
    ("a 12 fps spinner: bytes a frame", ("idle", "spinner12", "bytes_per_s"), "B", 1 / 12),
    ("a 12 fps spinner: CPU", ("idle", "spinner12", "cpu_ms_per_s"), "ms/s", 1),
    ("memory (PSS), 1 idle session", ("scale", "1", "pss_mb"), "MB", 1),
    ("memory (PSS), 200 idle sessions", ("scale", "200", "pss_mb"), "MB", 1),
    ("200 sessions are up after", ("scale", "200", "up_s"), "s", 1),
    ("forced kill: child and stubborn grandchild gone after", ("kill", "forced", "grandchild_ms"), "ms", 1),
    ("polite kill: the same", ("kill", "gentle", "grandchild_ms"), "ms", 1),
]


def number(x):
    return "–" if x is None else f"{x:.0f}" if x >= 100 or x == 0 else f"{x:.2g}" if x < 10 else f"{x:.1f}"


def ratio(mine, other):
    return "–" if mine is None or other is None else "same" if mine == other else "–" if other == 0 else f"{mine / other:.2g} x"


def table(results):
    out = ["| figure | authdeck | against tmux | against mprocs |", "| --- | --: | --: | --: |"]
    for what, path, unit, factor in ROWS:
        mine, tmux, mprocs = (value(results, p, *path) for p in ("authdeck", "tmux", "mprocs"))
        shown = number(None if mine is None else mine * factor)
        out.append(f"| {what} | {shown} {unit} | {ratio(mine, tmux)} | {ratio(mine, mprocs)} |")
    versions = ", ".join(f"{p} {results[p].get('version', '').split()[-1]}" for p in ("tmux", "mprocs") if p in results)
    out.append(f"\nBeside {versions}. A dash: the program has no such figure (neither ends a stubborn grandchild).")
    return "\n".join(out)


if __name__ == "__main__":
    with open(sys.argv[1]) as f:
        text = table(json.load(f))
    with open(sys.argv[2]) as f:
        readme = f.read()
    start, end = "<!-- measured: speed -->\n", "<!-- end of speed -->"
    new = re.sub(re.escape(start) + ".*?" + re.escape(end), lambda _: f"{start}\n{text}\n\n{end}", readme, flags=re.S)
    with open(sys.argv[2], "w") as f:
        f.write(new)
    print(text)
