#!/usr/bin/env python3
"""Writes the two streams that the children of the measurement print, always the same.

    gen_inputs.py DIR

log100.raw: 100 MB of log lines. colour10.raw: 10 MB in which every short word has its own colour."""
import os
import random
import sys

WORDS = ("request token session refresh client authorize callback device grant scope account "
         "provider listening redirect completed timeout retry cache config loading worker "
         "success pending expired browser login").split()


def log_lines(r):
    ms = 0
    while True:
        ms += r.randrange(1, 900)
        words = " ".join(r.choice(WORDS) for _ in range(r.randrange(4, 13)))
        yield (f"2026-01-15T{ms // 3600000 % 24:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}Z "
               f"{r.choice(['INFO', 'DEBUG', 'WARN', 'TRACE'])} auth::{r.choice(WORDS)}: {words} id={r.getrandbits(32):08x}\n")


def colour_lines(r):
    """16 colours, 256 colours, true colour and attributes, mixed."""
    while True:
        line = []
        for _ in range(14):
            line.append([f"\x1b[{r.randrange(30, 38)};1m",
                         f"\x1b[38;5;{r.randrange(256)};48;5;{r.randrange(256)}m",
                         f"\x1b[38;2;{r.randrange(256)};{r.randrange(256)};{r.randrange(256)}m",
                         f"\x1b[0;{r.choice([3, 4, 7, 9])}m"][r.randrange(4)])
            line.append(r.choice(WORDS)[:r.randrange(1, 6)] + " ")
        yield "".join(line) + "\x1b[0m\n"


def write(path, lines, size):
    """2 MB are made and repeated: making is slow, and no terminal remembers 2 MB."""
    block = bytearray()
    while len(block) < 2_000_000:
        block += next(lines).encode()
    with open(path, "wb") as f:
        for at in range(0, size, len(block)):
            f.write(block[:size - at])


if __name__ == "__main__":
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "log100.raw"), log_lines(random.Random(0)), 100_000_000)
    write(os.path.join(folder, "colour10.raw"), colour_lines(random.Random(1)), 10_000_000)
