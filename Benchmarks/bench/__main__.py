"""The benchmark: reads the options, measures, and writes the report."""

import argparse
import re
import shutil
import sys
from pathlib import Path

from . import chart, goals, growth, report
from .contenders import DIRECTIONS, Field
from .measure import Failed
from .programs import Programs, machine
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


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.partition(":")[2])
    add = parser.add_argument
    add("--shapes", help="only these, by name, separated by commas")
    add("--only", default=".", help="only the rows whose 'SHAPE: DIRECTION: NAME' matches; --list shows them")
    add("--list", action="store_true", help="show what would be measured")
    add("--size", type=int, help="megabytes of CSV of each shape (default: 1000; --quick: 2)")
    add("--tables", type=numbers, help="numbers of tiny tables (default: 2000,10000; --quick: 60)")
    add("--jobs", type=numbers, default=[1, 2], help="workers of ours; others get the most (default: 1,2)")
    add("--runs", type=int, help="rounds, each with all contenders (default: 5; --quick: 1)")
    add("--goals", action="store_true", help="only what the aims need, and whether they are reached")
    add("--growth", action="store_true", help="the curves; after --goals, if both are given")
    add("--growth-size", type=int, default=1000, help="the largest table of the curves, in megabytes (default: 1000)")
    add("--growth-tables", type=int, default=10000, help="the most tables of the curves (default: 10000)")
    add("--growth-runs", type=int, default=3, help="rounds of the curves (default: 3)")
    add("--quick", action="store_true", help="every result of small shapes once; fails only if one is wrong")
    add("--binary", default=".build/release/databudgie", help="the program to measure (default: %(default)s)")
    add("--baseline", help="an earlier build of it, to compare with")
    add("--output", type=Path, default=RESULTS, help="the folder of the report (default: Benchmarks/results)")
    options = parser.parse_args()
    options.size = options.size or (2 if options.quick else 1000)
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


class Report:
    """The files of one invocation; what is finished is written at once."""

    def __init__(self, options, name):
        self.folder = options.output
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
            floor = report.reference(some)
            bars = []
            for one in some:
                values = report.ratios(one.runs, floor)
                if values:
                    bars.append((one.name, min(values), report.median(values), max(values), one.is_ours))
            if bars:
                relative = "F0" if some[0].name.startswith("F0") else "the first"
                groups.append((f"{words} (× {relative}: median, least to most)", bars))
        plots = []
        if groups:
            plots = [f"{self.name}-{re.sub('[^a-z0-9]+', '-', measured.shape.name.lower())}.svg"]
            (self.folder / plots[0]).write_text(chart.bars(groups), encoding="utf-8")
        self.sections.append(report.tables(measured, plots))

    def write(self, head, first=""):
        text = "\n".join(part for part in [f"# Benchmark: {self.name}\n", head, first, *self.sections] if part)
        (self.folder / f"{self.name}.md").write_text(text, encoding="utf-8")
        report.write_runs(self.folder / f"{self.name}.csv", self.all)
        say(f"wrote {self.folder / self.name}.md")


def problems(all_measured):
    """What failed of ours and of the floors; what others cannot do is a result."""
    return [
        f"{measured.shape.name}: {one.direction}: {one.name}: {one.problem}"
        for measured in all_measured
        for one in measured.contenders
        if one.problem and one.must_succeed
    ]


def main(options):
    with running(max(options.size, options.growth_size if options.growth else 0) // 300 + 3) as servers:
        programs = Programs(servers.work, options.binary, options.baseline, not options.quick)
        (servers.work / "scripts").mkdir()
        aims = goals.all_goals(programs, options.tables, max(options.jobs)) if options.goals else []
        wanted = goals.needed(aims) if options.goals else None
        shapes = chosen_shapes(options, wanted)
        choose = chooser(options, wanted)
        if options.list:
            for shape in shapes:
                for one in Field(servers.work, programs, options.jobs, True).for_shape(shape):
                    if choose(shape.name, one.direction, one.name):
                        print(f"{shape.name}: {one.direction}: {one.name}")
            return []
        found = []
        head = report.title(programs, machine(), options)
        if not options.growth or options.goals:
            name = "goals" if options.goals else "quick" if options.quick else "shapes"
            written = Report(options, name)
            rounds = Rounds(servers, programs, options.jobs, options.runs, choose, options.quick)
            for shape in shapes:
                written.add(rounds.measure(shape, options.size))
                by_name = {measured.shape.name: measured for measured in written.all}
                written.write(head, goals.table(aims, by_name) if aims else "")
            found += written.all
            sys.stdout.write((options.output / f"{name}.md").read_text(encoding="utf-8"))
        if options.growth:
            options.runs = options.growth_runs
            written = Report(options, "growth")
            for one in growth.series(max(options.jobs), options.growth_size, options.growth_tables):
                points = growth.measure(one, servers, programs, options.growth_runs, written.all.append)
                written.sections.append(growth.report(one, points, options.output, "growth-"))
                written.write(report.title(programs, machine(), options))
            found += written.all
            sys.stdout.write((options.output / "growth.md").read_text(encoding="utf-8"))
        return problems(found)


if __name__ == "__main__":
    if not shutil.which("cc"):
        say("bench: there is no C compiler: the C loop is not measured")
    try:
        failed = main(parse())
    except Failed as failure:
        sys.exit(f"bench: {failure}")
    sys.exit("\n".join(failed) or None)
