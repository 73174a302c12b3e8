"""The benchmark: reads the options, measures, and writes the report."""

import argparse
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from . import goals, growth, selftest
from .contenders import Field
from .measure import Failed
from .programs import Programs, machine
from .report import Report, title
from .rounds import Rounds, say
from .servers import REPOSITORY, running
from .shapes import all_shapes, tiny

# What --quick measures: one shape with all, two with S3, and of the others a way there and back for each format.
QUICK = re.compile(
    r"sales: (?!.*aws)|skewed: .*S3"
    r"|.*: (backup: (F0|psql .copy|.*-Z6)|load: (F0|by hand)|create: (F0|pg_restore))"
    r"|.*: (backup|load): databudgie (gzip|zstd), local, -j2$|.*: .*local, -j2, with definitions"
)
RESULTS = REPOSITORY / "Benchmarks" / "results"


def numbers(text):
    return [int(word) for word in text.split(",") if word]


def sizes(text):
    """A size for all shapes, others for some: `300,sales=1000`. Returns {name: megabytes}, with None for all."""
    pairs = [word.rpartition("=") for word in text.split(",")]
    return {name or None: int(number) for name, _, number in pairs}


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.partition(":")[2])
    add = parser.add_argument
    add("--shapes", help="only these, by name, separated by commas")
    add("--only", default=".", help="only the rows whose 'SHAPE: DIRECTION: NAME' matches; --list shows them")
    add("--list", action="store_true", help="show what would be measured")
    add(
        "--size", type=sizes, help="megabytes of CSV of each shape (default: 1000; --quick: 2); 300,sales=1000: by name"
    )
    add("--tables", type=numbers, help="numbers of tiny tables (default: 2000,10000; --quick: 60)")
    add("--jobs", type=numbers, default=[1, 2], help="workers of ours; others get the most (default: 1,2)")
    add("--runs", type=int, help="rounds, each with all contenders (default: 5; --quick: 1)")
    add("--minutes", type=float, default=60, help="a shape gets no further round after so long (default: 60)")
    add("--goals", action="store_true", help="only what the aims need, and whether they are reached")
    add("--growth", action="store_true", help="the curves; after --goals, if both are given")
    add("--series", help="only these curves: size, tables, jobs, round-trips")
    add("--growth-size", type=int, default=1000, help="the largest table of the curves, in megabytes (default: 1000)")
    add("--growth-tables", type=int, default=10000, help="the most tables of the curves (default: 10000)")
    add("--growth-runs", type=int, default=3, help="rounds of the curves (default: 3)")
    add("--quick", action="store_true", help="every result of small shapes once; fails only if one is wrong")
    add("--binary", default=".build/release/databudgie", help="the program to measure (default: %(default)s)")
    add("--baseline", help="an earlier build of it, to compare with")
    add("--output", type=Path, help="the folder of the report (default: Benchmarks/results; --quick: none)")
    options = parser.parse_args()
    options.size = {None: 2 if options.quick else 1000, **(options.size or {})}
    options.runs = options.runs or (1 if options.quick else 5)
    options.tables = options.tables or ([60] if options.quick else [2000, 10000])
    options.jobs = sorted(set(options.jobs))
    return options


def chooser(options, wanted):
    """Whether a row is measured: what the aims need, or what the patterns let through."""

    def choose(shape, direction, name):
        if wanted is not None and (shape, direction, name) not in wanted:
            return False
        row = f"{shape}: {direction}: {name}"
        return bool(re.search(options.only, row) and (not options.quick or QUICK.match(row)))

    return choose


def chosen_shapes(options, wanted):
    shapes = all_shapes(options.tables)
    if options.shapes:
        unknown = set(options.shapes.split(",")) - set(shapes)
        if unknown:
            raise SystemExit(f"bench: unknown shapes {', '.join(sorted(unknown))}: there are {', '.join(shapes)}")
        shapes = {name: shapes[name] for name in options.shapes.split(",")}
    if wanted is not None:
        names = {shape for shape, _, _ in wanted}
        far = tiny(100).at(50)
        shapes = {name: shape for name, shape in {**shapes, far.name: far}.items() if name in names}
    return list(shapes.values())


def problems(all_measured):
    """What failed of ours and of the floors; what others cannot do is a result."""
    return [
        f"{measured.shape.name}: {one.direction}: {one.name}: {one.problem}"
        for measured in all_measured
        for one in measured.contenders
        if one.problem and one.must_succeed
    ]


def rows(options, wanted, choose):
    """The names of all rows that are to be measured, as --only reads them."""
    os.environ.setdefault("S3_BUCKET", "bucket")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "scripts").mkdir()
        programs = Programs(work, options.binary, options.baseline, not options.quick)
        return [
            f"{shape.name}: {one.direction}: {one.name}"
            for shape in chosen_shapes(options, wanted)
            for one in Field(work, programs, options.jobs, True).for_shape(shape)
            if choose(shape.name, one.direction, one.name)
        ]


def storage_gibibytes(options, names):
    """How much memory the S3 server gets; 0 if there is no need for one."""
    if not options.growth and not any("S3" in name or "aws" in name for name in names):
        return 0
    return max([*options.size.values(), options.growth_size if options.growth else 0]) // 300 + 3


def measure_shapes(options, servers, programs, aims, wanted, choose):
    """Measures the chosen shapes, and returns what went wrong."""
    written = Report(options.output, "goals" if aims else "quick" if options.quick else "shapes")
    head = title(programs, machine(), options.runs)
    rounds = Rounds(servers, programs, options.jobs, options.runs, options.minutes, choose, options.quick)
    wrong = []
    for shape in chosen_shapes(options, wanted):
        try:
            written.add(rounds.measure(shape, options.size.get(shape.name, options.size[None])))
        except Failed as failure:
            wrong.append(f"{shape.name}: {failure}")
            say(f"{shape.name}: FAILED: {failure}")
        by_name = {measured.shape.name: measured for measured in written.all}
        written.write(head, goals.table(aims, by_name) if aims else "")
    if options.quick:
        say(f"{sum(len(one.runs) for measured in written.all for one in measured.contenders)} results are right")
    else:
        written.show()
    return wrong + problems(written.all)


def measure_growth(options, servers, programs):
    """Measures the curves, and returns what went wrong."""
    written = Report(options.output, "growth")
    head = title(programs, machine(), options.growth_runs)
    wrong = []
    for one in growth.series(max(options.jobs), options.growth_size, options.growth_tables):
        if options.series and one.name not in options.series.split(","):
            continue
        try:
            points = growth.measure(one, servers, programs, options.growth_runs, written.all.append)
            written.sections.append(growth.report(one, points, options.output, "growth-"))
        except Failed as failure:
            wrong.append(f"growth, {one.name}: {failure}")
            say(f"growth, {one.name}: FAILED: {failure}")
        written.write(head)
    written.show()
    return wrong + problems(written.all)


def main(options):
    aims = goals.all_goals(options.binary, options.tables, max(options.jobs)) if options.goals else []
    wanted = goals.needed(aims) if aims else None
    choose = chooser(options, wanted)
    names = rows(options, wanted, choose) if aims or not options.growth else []
    if options.list:
        print("\n".join(names))
        return []
    wrong = []
    with running(storage_gibibytes(options, names)) as servers:
        programs = Programs(servers.work, options.binary, options.baseline, not options.quick)
        (servers.work / "scripts").mkdir()
        options.output = options.output or (servers.work / "results" if options.quick else RESULTS)
        if options.quick:
            selftest.run(servers.work)
        if aims or not options.growth:
            wrong += measure_shapes(options, servers, programs, aims, wanted, choose)
        if options.growth:
            wrong += measure_growth(options, servers, programs)
    return wrong


if __name__ == "__main__":
    # So that the servers end, and their folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        failed = main(parse())
    except Failed as failure:
        sys.exit(f"bench: {failure}")
    sys.exit("\n".join(failed) or None)
