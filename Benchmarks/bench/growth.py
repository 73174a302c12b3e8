"""Time and memory against the size of a table, the number of tables, of workers, and the length of the line."""

import math
from dataclasses import dataclass

from . import chart
from .report import median
from .rounds import Rounds
from .shapes import from_file, tiny

SIZES = [10, 30, 100, 300, 1000, 2000, 5000]
COUNTS = [1, 10, 100, 1000, 10000]
ROUND_TRIPS = [0, 10, 25, 50]


@dataclass(frozen=True)
class Series:
    """What grows, the shapes with their place on the axis and megabytes, and who is measured."""

    name: str
    title: str
    axis: str
    steps: list  # of (x, shape, megabytes, numbers of workers)
    curves: dict  # {label: (direction, contender)}; {jobs} in it is the number of workers
    is_linear: bool = True  # the exponent of growth says something


def series(jobs, most_megabytes, most_tables):
    sales = from_file("sales", "a shop's sales", "sales", 123)
    ours, defined = "databudgie gzip, local, -j{jobs}", "databudgie gzip, local, -j{jobs}, with definitions"
    dump, restore = "pg_dump -Fd -j{jobs} -Z6", "pg_restore -j{jobs}"
    sizes = [size for size in SIZES if size <= most_megabytes]
    counts = [count for count in COUNTS if count <= most_tables]
    middle = min(300, most_megabytes)
    return [
        Series(
            "size",
            "One table, gzip, local",
            "MB of CSV",
            [(size, sales, size, [1, jobs]) for size in sizes],
            {
                "F0: server COPY to /dev/null": ("backup", "F0: server COPY to /dev/null"),
                "backup, -j1": ("backup", "databudgie gzip, local, -j1"),
                f"backup, -j{jobs}": ("backup", ours),
                "restore (truncate), -j1": ("load", "databudgie gzip, local, -j1"),
                f"restore into a new database, -j{jobs}": ("create", defined),
            },
        ),
        Series(
            "tables",
            "Many tables of three rows, with definitions",
            "tables",
            [(count, tiny(count), 0, [jobs]) for count in counts],
            {
                f"pg_dump -Fd -j{jobs}": ("backup", dump),
                "backup": ("backup", defined),
                f"pg_restore -j{jobs}": ("create", restore),
                "restore into a new database": ("create", defined),
            },
        ),
        Series(
            "jobs",
            f"One table of {middle} MB",
            "workers",
            [(job, sales, middle, [job]) for job in (1, 2, 3, 4)],
            {
                "backup, gzip": ("backup", ours),
                "backup, plain": ("backup", ours.replace("gzip", "plain")),
                "backup, gzip, to S3": ("backup", ours.replace("local", "S3")),
                "restore (truncate)": ("load", ours),
                "restore into a new database": ("create", defined),
            },
            is_linear=False,
        ),
        Series(
            "round-trips",
            "100 tables of three rows",
            "ms a round trip",
            [(time, tiny(100).at(time) if time else tiny(100), 0, [jobs]) for time in ROUND_TRIPS],
            {
                "backup": ("backup", ours),
                "backup with definitions": ("backup", defined),
                "restore (truncate)": ("load", ours),
                "restore into a new database": ("create", defined),
                f"pg_dump -Fd -j{jobs}": ("backup", dump),
            },
            is_linear=False,
        ),
    ]


def exponent(points):
    """The slope in logarithms between the last point and that a factor of ten or so before it: 1 is linear."""
    x, y = points[-1]
    earlier = [point for point in points if point[0] <= x / 9]
    if not earlier or earlier[-1][1] <= 0 or y <= 0:
        return None
    return math.log(y / earlier[-1][1]) / math.log(x / earlier[-1][0])


def measure(one, servers, programs, runs, finished):
    """Measures a series; `finished` gets every `Measured`. Returns {label: [(x, seconds, megabytes), …]}."""
    found = {label: [] for label in one.curves}
    for x, shape, megabytes, jobs in one.steps:
        wanted = {label: (direction, name.format(jobs=max(jobs))) for label, (direction, name) in one.curves.items()}
        chosen = set(wanted.values())
        rounds = Rounds(servers, programs, jobs, runs, math.inf, lambda _, *key: key in chosen, False)
        measured = rounds.measure(shape, megabytes)
        finished(measured)
        for label, key in wanted.items():
            some = measured.runs(*key)
            if some:
                found[label].append((x, median([run.wall for run in some]), median([run.memory for run in some]) / 1e6))
    return {label: points for label, points in found.items() if points}


def report(one, found, folder, prefix):
    """Writes the plot, and returns the section of the report."""
    times = {label: [(x, seconds) for x, seconds, _ in points] for label, points in found.items()}
    sizes = {
        label: [(x, size) for x, _, size in points] for label, points in found.items() if not label.startswith("F0")
    }
    name = f"{prefix}{one.name}.svg"
    (folder / name).write_text(chart.lines(one.title, one.axis, [("seconds", times), ("client peak MB", sizes)]))
    places = [x for x, *_ in one.steps]
    lines = [
        f"## {one.title}: {one.axis}",
        "",
        "| seconds (peak MB) | "
        + " | ".join(f"{x:,}" for x in places)
        + (" | exponent, memory |" if one.is_linear else " |"),
        "|---|" + "---:|" * (len(places) + one.is_linear),
    ]
    for label, points in found.items():
        at = {x: f"{seconds:.2f} ({size:.0f})" for x, seconds, size in points}
        cells = [at.get(x, "failed") for x in places]
        if one.is_linear:
            slope = exponent([(x, seconds) for x, seconds, _ in points])
            memory = points[-1][2] / points[0][2]
            cells.append("" if slope is None else f"{slope:.2f}, × {memory:.2f}")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"![{one.title}]({name})"]) + "\n"
