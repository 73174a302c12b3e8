"""Draws bars and lines as SVG, readable on white and on black."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#2a78d6", "#d6582a", "#2a9d5c", "#9b51c9", "#c79a1e", "#6b7280"]
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#1f2937}.title{font-weight:600;font-size:14px}"
    ".small{font-size:11px;"
    "fill:#6b7280}.axis{stroke:#9ca3af}.grid{stroke:#9ca3af;stroke-opacity:.3}"
    "@media(prefers-color-scheme:dark){text{fill:#e5e7eb}.small{fill:#9ca3af}}</style>"
)


def document(width, height, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{STYLE}\n' + "\n".join(parts) + "\n</svg>\n"
    )


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def line(x1, y1, x2, y2, kind="axis", colour=""):
    style = f' style="stroke:{colour};stroke-width:1.5"' if colour else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"{style}/>'


def bars(groups):
    """Horizontal bars: `groups` are titles with lists of (label, least, median, most, is_ours)."""
    left, width, step = 380, 900, 20
    parts, y = [], 10
    for title, entries in groups:
        y += 16
        parts.append(text(10, y, title, kind="title"))
        y += 8
        most = max(entry[3] for entry in entries)
        scale = (width - left - 90) / most
        for label, low, middle, high, is_ours in entries:
            colour = COLOURS[0] if is_ours else COLOURS[5]
            parts.append(text(left - 8, y + 14, label, "end"))
            parts.append(
                f'<rect x="{left}" y="{y + 3}" width="{max(1, middle * scale):.1f}" height="{step - 6}" rx="2" '
                f'fill="{colour}"/>'
            )
            if high > low:
                parts.append(
                    line(left + low * scale, y + step / 2, left + high * scale, y + step / 2, colour="#111827")
                )
            parts.append(text(left + high * scale + 6, y + 14, f"{middle:.2f}", kind="small"))
            y += step
        if most > 1:
            parts.append(line(left + scale, y - step * len(entries), left + scale, y + 2, "grid"))
        y += 10
    return document(width, y + 6, parts)


def ticks(low, high):
    """Powers of ten and what is between them, for a logarithmic axis."""
    found = [
        digit * 10.0**power
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digit in (1, 2, 5)
    ]
    inside = [value for value in found if low * 0.999 <= value <= high * 1.001]
    tens = [value for value in inside if math.isclose(math.log10(value), round(math.log10(value)), abs_tol=1e-9)]
    return tens if len(tens) >= 4 else inside


class Panel:
    """One pair of axes: logarithmic if the values reach over more than a factor of twenty, else from 0."""

    def __init__(self, left, top, width, height, points):
        self.left, self.top, self.width, self.height = left, top, width, height
        self.x_axis = self.axis([x for x, _ in points])
        self.y_axis = self.axis([y for _, y in points])

    @staticmethod
    def axis(values):
        low, high = min(values), max(values)
        if low > 0 and high / low > 20:
            return True, low / 1.2, high * 1.2
        return False, 0.0, (high or 1) * 1.1

    @staticmethod
    def share(axis, value):
        is_logarithmic, low, high = axis
        if is_logarithmic:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def x(self, value):
        return self.left + self.share(self.x_axis, value) * self.width

    def y(self, value):
        return self.top + self.height - self.share(self.y_axis, value) * self.height

    def marks(self, axis):
        is_logarithmic, low, high = axis
        if is_logarithmic:
            return ticks(low, high)
        step = 10 ** math.floor(math.log10(high / 2))
        step *= next(factor for factor in (1, 2, 5, 10) if high / (step * factor) <= 6)
        return [step * number for number in range(int(high / step) + 1)]

    def frame(self, x_title, y_title):
        bottom = self.top + self.height
        parts = [line(self.left, bottom, self.left + self.width, bottom), line(self.left, self.top, self.left, bottom)]
        for value in self.marks(self.x_axis):
            parts.append(text(self.x(value), bottom + 15, f"{value:,.10g}", "middle", "small"))
        for value in self.marks(self.y_axis):
            parts.append(line(self.left, self.y(value), self.left + self.width, self.y(value), "grid"))
            parts.append(text(self.left - 6, self.y(value) + 4, f"{value:,.10g}", "end", "small"))
        parts.append(text(self.left + self.width / 2, bottom + 32, x_title, "middle"))
        parts.append(text(self.left, self.top - 8, y_title))
        return parts

    def curve(self, points, colour):
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        dots = "".join(f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{colour}"/>' for x, y in points)
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def lines(title, x_title, panels):
    """Panels side by side: `panels` are titles of the vertical axis with {name: [(x, y), …]}."""
    width, height, names = 460, 240, []
    parts = [text(10, 20, title, kind="title")]
    for place, (y_title, series) in enumerate(panels):
        points = [point for some in series.values() for point in some]
        panel = Panel(70 + place * (width + 20), 55, width - 90, height, points)
        parts += panel.frame(x_title, y_title)
        for name, some in series.items():
            if name not in names:
                names.append(name)
            parts.append(panel.curve(some, COLOURS[names.index(name) % len(COLOURS)]))
    for place, name in enumerate(names):
        y = 55 + height + 56 + place * 17
        parts.append(f'<rect x="70" y="{y - 9}" width="10" height="10" fill="{COLOURS[place % len(COLOURS)]}"/>')
        parts.append(text(86, y, name))
    return document(len(panels) * (width + 20) + 20, 55 + height + 56 + len(names) * 17, parts)
