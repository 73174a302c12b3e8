"""The databases that are measured, each of one shape of data."""

import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

from . import database
from .measure import Failed

FOLDER = Path(__file__).resolve().parents[1] / "shapes"
MANY = 50


@dataclass(frozen=True)
class Shape:
    """Tables, how they are created, and what clients see of the server."""

    name: str
    title: str
    tables: tuple  # what is backed up and restored, those that are referred to first
    build: Callable  # of a database and a size in megabytes of CSV
    context: tuple = ()  # tables that are there, and stay
    by_hand: Path | None = None  # replaces the rows, with its keys and indexes, as a careful administrator would
    round_trip: int = 0  # milliseconds to the server

    @property
    def is_many(self):
        return len(self.tables) > MANY

    def at(self, milliseconds):
        """The same tables, behind a long line."""
        name, title = f"{self.name} at {milliseconds} ms", f"{self.title}, {milliseconds} ms a round trip"
        return replace(self, name=name, title=title, round_trip=milliseconds)


def from_file(name, title, table, row_bytes, **others):
    def build(name_of_database, megabytes):
        rows = max(10, int(megabytes * 1e6 / row_bytes))
        run_file(name_of_database, FOLDER / f"{name}.sql", rows)

    return Shape(name, title, (table,), build, **others)


def run_file(name_of_database, file, rows):
    database.script(name_of_database, "", "-v", f"rows={rows}", "-f", str(file))


def tiny(count):
    """Many tables of three rows, each with a sequence and a key; three of ten refer to another one."""

    def definition(number):
        reference = f" references t_{number - number % 10:06}" if number % 10 in (1, 2, 3) else ""
        table = f"t_{number:06}"
        return (
            f"create table {table} (id serial primary key, name text not null, parent integer{reference});"
            f"insert into {table} (name, parent) select 'row ' || i, {'1' if reference else 'i'} "
            f"from generate_series(1, 3) as i;"
        )

    def build(name_of_database, _):
        # A transaction for each few hundred: its locks have to fit into the server's table of them.
        for start in range(0, count, 500):
            numbers = range(start, min(start + 500, count))
            database.script(name_of_database, "begin;" + "".join(map(definition, numbers)) + "commit;")
        database.sql(name_of_database, "analyze")

    return Shape(
        f"tiny-{count}", f"{count:,} tables of three rows", tuple(f"t_{number:06}" for number in range(count)), build
    )


def skewed():
    """One table with 80 % of the bytes, and twelve that share the rest."""
    others = [f"sales_{number:02}" for number in range(12)]

    def build(name_of_database, megabytes):
        rows = max(120, int(megabytes * 1e6 / 123))
        run_file(name_of_database, FOLDER / "sales.sql", rows * 8 // 10)
        for place, table in enumerate(others):
            low = place * (rows // 60)
            database.sql(
                name_of_database,
                f"create table {table} (like sales including all)",
                f"insert into {table} select * from sales where id > {low} and id <= {low + rows // 60}",
            )
        database.sql(name_of_database, "vacuum (freeze, analyze)")

    return Shape("skewed", "one table with 80 % of the database, and twelve others", ("sales", *others), build)


def pgbench():
    tables = tuple(f"pgbench_{name}" for name in ["branches", "tellers", "accounts", "history"])

    def build(name_of_database, megabytes):
        # One unit is 100,000 accounts, of 97 bytes each.
        scale = max(1, round(megabytes / 9.7))
        command = f"pgbench -i -q -I dtGvpf -s {scale} {shlex.quote(name_of_database)}"
        result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise Failed(f"pgbench: {result.stderr[-300:]}")
        history = (
            "select 1, 1, i, i % 1000, timestamp '2024-01-01' + i * interval '1 s' from generate_series(1, {}) as i"
        )
        database.sql(
            name_of_database,
            "insert into pgbench_history (tid, bid, aid, delta, mtime) " + history.format(scale * 20000),
            "vacuum (freeze, analyze)",
        )

    return Shape("pgbench", "pgbench's tables, with their foreign keys", tables, build)


def all_shapes(counts):
    """Every shape by name; `counts` are the numbers of tiny tables."""
    found = [
        from_file("sales", "a shop's sales: keys, times, decimals, names, notes", "sales", 123),
        from_file(
            "keys",
            "an existing table with a primary key, a foreign key and two indexes",
            "purchases",
            63,
            context=("customers",),
            by_hand=FOLDER / "keys-by-hand.sql",
        ),
        from_file("narrow", "four integers a row", "narrow", 18),
        from_file("wide", "eight texts of 200 characters a row", "wide", 1740),
        from_file("json", "a document of 1 KB a row", "documents", 1100),
        from_file("toast", "a value of 100 KB a row, out of line", "attachments", 100400),
        from_file("columns", "1,600 columns", "columns", 7750),
        skewed(),
        pgbench(),
        *(tiny(count) for count in counts),
    ]
    return {shape.name: shape for shape in found}
