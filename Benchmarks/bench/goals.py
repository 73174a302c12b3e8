"""What databudgie sets out to reach, beside what was measured."""

import subprocess
import time
from dataclasses import dataclass
from typing import Callable

from .report import median, ratios, spread

FLOOR = "F0: server COPY to /dev/null"
BY_HAND = "by hand: drop, TRUNCATE, COPY FREEZE, build again"
BASE_MEGABYTES, WORKER_MEGABYTES = 64, 40


@dataclass(frozen=True)
class Goal:
    """An aim: its limit, and how the figure comes out of what was measured (a list of values of rounds)."""

    text: str
    limit: float
    at_least: bool
    unit: str
    needs: tuple  # (shape, direction, contender)
    values: Callable  # of {shape: Measured}

    def line(self, measured):
        values = self.values(measured)
        sign = "≥" if self.at_least else "≤"
        aim = f"{sign} {self.limit:g} {self.unit}"
        if not values:
            return f"| {self.text} | {aim} | not measured | |"
        figure = median(values)
        reached = figure >= self.limit if self.at_least else figure <= self.limit
        return f"| {self.text} | {aim} | {spread(values)} {self.unit} | {'yes' if reached else '**no**'} |"


def runs(measured, key):
    shape, direction, name = key
    return measured[shape].runs(direction, name) if shape in measured else []


def at_most(text, limit, ours, other):
    """Our time over that of another contender."""
    return Goal(
        text, limit, False, "×", (ours, other), lambda measured: ratios(runs(measured, ours), runs(measured, other))
    )


def faster(text, limit, ours, other):
    """The time of another contender over ours."""
    return Goal(
        text, limit, True, "×", (ours, other), lambda measured: ratios(runs(measured, other), runs(measured, ours))
    )


def seconds(text, limit, ours):
    return Goal(text, limit, False, "s", (ours,), lambda measured: [run.wall for run in runs(measured, ours)])


def all_goals(binary, counts, jobs):
    """`binary` is the program, `counts` are the numbers of tiny tables, `jobs` is the number of workers."""
    floor = ("sales", "backup", FLOOR)
    gzip = {job: ("sales", "backup", f"databudgie gzip, local, -j{job}") for job in (1, jobs)}
    keys = ("keys", "load", f"databudgie gzip, local, -j{jobs}")
    definitions = f"databudgie gzip, local, -j{jobs}, with definitions"
    goals = [
        at_most("One table, gzip to local, -j1, × F0", 1.10, gzip[1], floor),
        at_most(f"One table, gzip to local, -j{jobs}, × F0", 0.75, gzip[jobs], floor),
        at_most(
            f"One table, gzip to S3 on loopback, -j{jobs}, × F0",
            1.35,
            ("sales", "backup", f"databudgie gzip, S3, -j{jobs}"),
            floor,
        ),
        faster(
            f"-j{jobs}: faster than pg_dump -Fd -j{jobs} -Z6",
            5,
            gzip[jobs],
            ("sales", "backup", f"pg_dump -Fd -j{jobs} -Z6"),
        ),
        faster(
            f"-j{jobs}: faster than databudgie 2.9.3 with gzip",
            10,
            gzip[jobs],
            ("sales", "backup", "databudgie 2.9.3 gzip, local"),
        ),
        faster(f"-j{jobs}: faster than psql ¦ gzip", 6.5, gzip[jobs], ("sales", "backup", "psql | gzip")),
        faster(
            "Existing table with keys and indexes, truncate: faster than the baseline",
            2.5,
            keys,
            ("keys", "load", "baseline gzip, local"),
        ),
        at_most("Existing table with keys and indexes, truncate: × by hand", 1.15, keys, ("keys", "load", BY_HAND)),
        faster(
            f"New database: faster than pg_restore -j{jobs}",
            1,
            ("sales", "create", definitions),
            ("sales", "create", f"pg_restore -j{jobs}"),
        ),
    ]
    for count in counts:
        shape = f"tiny-{count}"
        goals += [
            at_most(
                f"{count:,} tiny tables with definitions, backup: × pg_dump -Fd -j{jobs}",
                2,
                (shape, "backup", definitions),
                (shape, "backup", f"pg_dump -Fd -j{jobs} -Z6"),
            ),
            faster(
                f"{count:,} tiny tables with definitions, restore: faster than pg_restore -j{jobs}",
                1,
                (shape, "create", definitions),
                (shape, "create", f"pg_restore -j{jobs}"),
            ),
        ]
    far, plain = "tiny-100 at 50 ms", f"databudgie gzip, local, -j{jobs}"
    goals += [
        seconds("100 tables at 50 ms a round trip, backup", 5, (far, "backup", plain)),
        seconds("100 tables at 50 ms a round trip, restore", 8, (far, "load", plain)),
        seconds("100 tables at 50 ms a round trip, backup with definitions", 15, (far, "backup", definitions)),
        seconds("100 tables at 50 ms a round trip, restore with definitions", 15, (far, "create", definitions)),
        Goal(
            f"Peak memory of any run: × ({BASE_MEGABYTES} MB + {WORKER_MEGABYTES} MB a worker)",
            1,
            False,
            "×",
            (),
            share_of_memory,
        ),
        Goal("databudgie --version", 15, False, "ms", (), lambda _: version_milliseconds(binary)),
    ]
    return goals


def share_of_memory(measured):
    """The largest quotient of the peak of a run of ours and what it may take; one value."""
    found = [
        run.memory / 1e6 / (BASE_MEGABYTES + WORKER_MEGABYTES * one.jobs)
        for shape in measured.values()
        for one in shape.contenders
        if one.is_ours
        for run in one.runs
    ]
    return [max(found)] if found else []


def version_milliseconds(binary):
    found = []
    for _ in range(21):
        start = time.monotonic()
        subprocess.run([binary, "--version"], stdout=subprocess.DEVNULL, check=True)
        found.append((time.monotonic() - start) * 1000)
    # The first one reads the program from disk.
    return found[1:]


def needed(goals):
    """What has to be measured for them."""
    return {key for goal in goals for key in goal.needs}


def table(goals, measured):
    lines = ["## Aims", "", "| aim | limit | measured | reached |", "|---|---:|---:|---|"]
    return "\n".join(lines + [goal.line(measured) for goal in goals]) + "\n"
