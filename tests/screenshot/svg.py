#!/usr/bin/env python3
"""svg.py TITLE < SCREEN > PICTURE: draws what `tmux capture-pane -e -p` printed as an SVG, cell by cell."""
import html
import re
import sys
import unicodedata

CELL, LINE, FONT = 8.4, 18, 14
BACKGROUND, FOREGROUND = "#16181d", "#d5d8de"
BASE = ("#16181d #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #abb2bf "
        "#5c6370 #ff7a85 #b1e08b #ffd68a #7cc3ff #dd9bf0 #6fd6e0 #ffffff").split()


def palette(n):
    if n < 16:
        return BASE[n]
    if n < 232:
        n -= 16
        steps = (0, 95, 135, 175, 215, 255)
        return "#%02x%02x%02x" % (steps[n // 36], steps[n // 6 % 6], steps[n % 6])
    return "#" + "%02x" % (8 + 10 * (n - 232)) * 3


class Style:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.italic = self.underline = self.reverse = False

    def apply(self, codes):
        codes = [int(c or 0) for c in codes.replace(":", ";").split(";")]
        while codes:
            c = codes.pop(0)
            if c == 0:
                self.reset()
            elif c in (38, 48):
                kind = codes.pop(0)
                colour = palette(codes.pop(0)) if kind == 5 else "#%02x%02x%02x" % tuple(codes.pop(0) for _ in range(3))
                if c == 38:
                    self.fg = colour
                else:
                    self.bg = colour
            elif 30 <= c <= 37 or 90 <= c <= 97:
                self.fg = palette(c - 30 if c < 90 else c - 82)
            elif 40 <= c <= 47 or 100 <= c <= 107:
                self.bg = palette(c - 40 if c < 100 else c - 92)
            elif c in (39, 49):
                setattr(self, "fg" if c == 39 else "bg", None)
            else:
                for name, on, off in (("bold", 1, 22), ("dim", 2, 22), ("italic", 3, 23), ("underline", 4, 24), ("reverse", 7, 27)):
                    if c in (on, off):
                        setattr(self, name, c == on)

    def key(self):
        fg, bg = self.fg or FOREGROUND, self.bg or BACKGROUND
        if self.reverse:
            fg, bg = bg, fg
        return fg, bg, self.bold, self.dim, self.italic, self.underline


def width(c):
    return 2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1


def runs(line, style):
    """(column, columns, text, style) of one row."""
    column, start, text, key, out = 0, 0, "", None, []
    for piece in re.split(r"(\x1b\[[0-9;:]*m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()]?.)", line):
        if piece.startswith("\x1b["):
            style.apply(piece[2:-1])
        elif not piece.startswith("\x1b"):
            for c in piece:
                if style.key() != key and text:
                    out.append((start, column - start, text, key))
                    start, text = column, ""
                key = style.key()
                text += c
                column += width(c)
    return out + ([(start, column - start, text, key)] if text else [])


def main(title):
    style, rows = Style(), [line.rstrip("\n") for line in sys.stdin]
    drawn = [runs(row, style) for row in rows]
    columns = max((column + wide for row in drawn for column, wide, _, _ in row), default=80)
    w, h = columns * CELL + 24, len(rows) * LINE + 24
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.1f} {h}" role="img"><title>{html.escape(title)}</title>')
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>')
    print(f'<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{FONT}">')
    for number, row in enumerate(drawn):
        y = 12 + number * LINE
        for column, wide, text, (fg, bg, bold, dim, italic, underline) in row:
            x = 12 + column * CELL
            if bg != BACKGROUND:
                print(f'<rect x="{x:.1f}" y="{y}" width="{wide * CELL:.1f}" height="{LINE}" fill="{bg}"/>')
            if text.strip():
                lead = len(text) - len(text.lstrip())
                x, wide, text = x + lead * CELL, sum(width(c) for c in text.strip()), text.strip()
                more = (' font-weight="bold"' * bold + ' opacity="0.6"' * dim + ' font-style="italic"' * italic
                        + ' text-decoration="underline"' * underline)
                print(f'<text x="{x:.1f}" y="{y + 13}" fill="{fg}"{more} textLength="{wide * CELL:.1f}" '
                      f'xml:space="preserve">{html.escape(text)}</text>')
    print("</g></svg>")


if __name__ == "__main__":
    main(*sys.argv[1:])
