"""Writes what was measured as Markdown: medians, and ratios within each round with their spread."""

import csv
import datetime
import re
import statistics
import sys

from . import chart, database
from .contenders import DIRECTIONS


def median(values):
    return statistics.median(values) if values else None


def ratios(runs, floor):
    """The quotients of the wall times of the same rounds."""
    return [one.wall / other.wall for one, other in zip(runs, floor)]


def spread(values, digits=2):
    """A median, and the least and the most if there are several."""
    if not values:
        return ""
    text = f"{median(values):.{digits}f}"
    return text if len(values) < 2 else f"{text} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def reference(some):
    """What the others of a direction are compared with: its first contender."""
    return some[0].runs if some and not some[0].problem else []


def title(programs, machine, count):
    """The head of a report: where, when, with what."""
    versions = "; ".join(f"{name}: {version}" for name, version in programs.versions.items())
    server = database.sql("postgres", "show server_version")
    lines = [
        f"Measured on {datetime.date.today().isoformat()}: {machine}; PostgreSQL {server}"
        f" without fsync, client and servers on the same machine.",
        "",
        f"{versions}.",
        "",
    ]
    if programs.missing:
        lines += [f"Not measured: {'; '.join(programs.missing)}.", ""]
    lines += [
        f"Every row is the median of up to {count} interleaved runs, and each result was compared with the source. "
        "Ratios are those of the same round: median (least–most). Memory is the peak of all processes of the client "
        "together.",
        "",
    ]
    return "\n".join(lines)


def tables(measured, plots):
    """One section a shape, one table a direction."""
    source = measured.source
    lines = [
        f"## {measured.shape.title[0].upper()}{measured.shape.title[1:]}",
        "",
        f"`{measured.shape.name}`: {source.rows:,} rows, {source.csv_bytes / 1e6:,.1f} MB of CSV; "
        f"rounds: {max((len(one.runs) for one in measured.contenders), default=0)}.",
    ]
    for direction, words in DIRECTIONS.items():
        some = measured.of(direction)
        if not some:
            continue
        unit = "" if measured.shape.is_many else "/GB"
        relative = "× F0" if some[0].name.startswith("F0") else "× the first"
        lines += [
            "",
            f"### {words}",
            "",
            f"| | seconds | {relative} | client CPU s{unit} | client peak MB | Postgres CPU s | S3 CPU s | output MB |",
            "|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        lines += [row(one, reference(some), measured) for one in some]
    if plots:
        lines += [""] + [f"![{measured.shape.title}]({plot})" for plot in plots]
    return "\n".join(lines) + "\n"


def row(one, floor, measured):
    if one.problem:
        return f"| {one.name} | failed: {' '.join(one.problem.split())[-160:].replace('|', '¦')} | | | | | | |"
    if not one.runs:
        return f"| {one.name} | not measured | | | | | | |"

    def middle(key):
        return median([getattr(run, key) for run in one.runs])

    # Not a GB that tables of three rows would never have.
    unit = 1 if measured.shape.is_many else measured.source.csv_bytes / 1e9
    storage = f"{middle('storage'):.1f}" if middle("storage") >= 0.05 else ""
    size = f"{one.bytes / 1e6:,.1f}" if one.bytes else ""
    return (
        f"| {one.name.replace('|', '¦')} | {middle('wall'):.2f} | {spread(ratios(one.runs, floor))} "
        f"| {middle('client') / unit:.2f} | {middle('memory') / 1e6:.0f} | {middle('postgres'):.2f} "
        f"| {storage} | {size} |"
    )


def write_runs(file, all_measured):
    """Every run, for other evaluations than ours."""
    with open(file, "w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(
            [
                "shape",
                "direction",
                "contender",
                "run",
                "wall_s",
                "client_cpu_s",
                "peak_bytes",
                "postgres_cpu_s",
                "s3_cpu_s",
            ]
        )
        for measured in all_measured:
            for one in measured.contenders:
                for number, run in enumerate(one.runs, 1):
                    writer.writerow(
                        [
                            measured.shape.name,
                            one.direction,
                            one.name,
                            number,
                            f"{run.wall:.3f}",
                            f"{run.client:.3f}",
                            run.memory,
                            f"{run.postgres:.3f}",
                            f"{run.storage:.3f}",
                        ]
                    )


class Report:
    """The files of one invocation; what is finished is written at once."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.sections, self.all = [], []
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob(f"{name}-*.svg"):
            old.unlink()

    def add(self, measured):
        """Adds the tables and the plot of a shape."""
        self.all.append(measured)
        groups = []
        for direction, words in DIRECTIONS.items():
            some = measured.of(direction)
            floor = reference(some)
            bars = []
            for one in some:
                values = ratios(one.runs, floor)
                if values:
                    bars.append((one.name, min(values), median(values), max(values), one.is_ours))
            if bars:
                relative = "F0" if some[0].name.startswith("F0") else "the first"
                groups.append((f"{words} (× {relative}: median, least to most)", bars))
        plots = []
        if groups:
            plots = [f"{self.name}-{re.sub('[^a-z0-9]+', '-', measured.shape.name.lower())}.svg"]
            (self.folder / plots[0]).write_text(chart.bars(groups), encoding="utf-8")
        self.sections.append(tables(measured, plots))

    def write(self, head, first=""):
        text = "\n".join(part for part in [f"# Benchmark: {self.name}\n", head, first, *self.sections] if part)
        (self.folder / f"{self.name}.md").write_text(text, encoding="utf-8")
        write_runs(self.folder / f"{self.name}.csv", self.all)

    def show(self):
        """Prints the report, too."""
        sys.stdout.write((self.folder / f"{self.name}.md").read_text(encoding="utf-8"))
