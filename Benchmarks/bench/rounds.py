"""Measures the contenders for one shape, in turn, as often as is asked for, and checks every result."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from . import check, database, measure
from .contenders import DATABASES, DIRECTIONS, Field
from .measure import Failed
from .objects import Bucket
from .servers import delayed


@dataclass(frozen=True)
class Measured:
    """A shape, what its source has, and its contenders with their runs."""

    shape: object
    source: database.Source
    contenders: list

    def runs(self, direction, name):
        for one in self.contenders:
            if (one.direction, one.name) == (direction, name) and not one.problem:
                return one.runs
        return []

    def of(self, direction):
        return [one for one in self.contenders if one.direction == direction]


class Rounds:
    """A shape gets no further round after `minutes`.

    `choose` says of a shape, a direction and a name whether it is measured.
    """

    def __init__(self, servers, programs, jobs, runs, minutes, choose, is_quick):
        self.servers, self.programs, self.jobs, self.count = servers, programs, jobs, runs
        self.minutes, self.choose, self.is_quick = minutes, choose, is_quick
        self.work = servers.work
        self.bucket = Bucket() if servers.has_storage else None

    def measure(self, shape, megabytes):
        """Builds the shape, measures its contenders, and returns a `Measured`."""
        field = Field(self.work, self.programs, self.jobs, self.servers.has_storage)
        every = field.for_shape(shape)
        chosen = [one for one in every if self.choose(shape.name, one.direction, one.name)]
        say(f"{shape.name}: building")
        source = self.prepare(shape, megabytes)
        with delayed(shape.round_trip) as address:
            environment = {**os.environ, **address}
            deadline = time.monotonic() + 60 * self.minutes
            for number in range(self.count):
                if number and time.monotonic() > deadline:
                    break
                for direction in DIRECTIONS:
                    some = [one for one in chosen if one.direction == direction]
                    # Not always in the same order: what one leaves behind would always meet the same next one.
                    start = number % max(1, len(some))
                    for one in some[start:] + some[:start]:
                        self.one(one, shape, source, chosen, every, environment, number)
        self.clean(every)
        return Measured(shape, source, chosen)

    def prepare(self, shape, megabytes):
        """The source; the target with all tables, keys and indexes, but without the rows to be restored."""
        for name in set(DATABASES.values()):
            database.create(name)
        shutil.rmtree(self.work / "rows", ignore_errors=True)
        (self.work / "rows").mkdir()
        name, target = DATABASES["backup"], DATABASES["load"]
        shape.build(name, megabytes)
        scripts = self.work / "scripts"
        for section in ["pre-data", "post-data"]:
            shell(f"pg_dump --section={section} -f {scripts}/{section}.sql {name}")
            shell(f"psql -Xq -v ON_ERROR_STOP=1 -d {target} -f {scripts}/{section}.sql")
        for table in shape.context:
            shell(f"pg_dump -a -t {table} {name} | psql -Xq -v ON_ERROR_STOP=1 -d {target}")
        return database.source(name, shape.tables)

    def one(self, contender, shape, source, chosen, every, environment, number):
        if contender.problem:
            return
        try:
            needed = next((one for one in every if (one.direction, one.name) == ("backup", contender.needs)), None)
            if needed and not needed.bytes:
                self.run(needed, shape, source, environment)
            measurement = self.run(contender, shape, source, environment)
            contender.runs.append(measurement)
            say(f"{shape.name}, run {number + 1}: {contender.direction}: {contender.name}: {measurement.wall:.2f} s")
        except Failed as failure:
            contender.problem = str(failure)
            say(f"{shape.name}: {contender.direction}: {contender.name}: FAILED: {failure}")
        if not any(one.needs == contender.name for one in chosen if contender.direction == "backup"):
            self.remove(contender)

    def run(self, contender, shape, source, environment):
        """Runs a contender once, and checks its result."""
        self.remove(contender)
        if contender.direction in ("create", "copy"):
            database.create(DATABASES["create"])
        if not self.is_quick:
            self.servers.settle()
        name = DATABASES[contender.direction]
        if contender.direction == "create":
            name = DATABASES["create"]
        measurement = measure.run(
            contender.command, {**environment, "PGDATABASE": name}, self.work / "log", self.servers
        )
        folder = self.work / contender.folder
        if contender.output == "csv":
            contender.bytes = check.csv_folder(folder, source)
        elif contender.output == "objects":
            contender.bytes = check.csv_objects(self.bucket, contender.folder, source, self.work)
        elif contender.output == "dump":
            contender.bytes = check.dump(folder, source)
        elif contender.direction != "backup":
            check.tables(DATABASES["load" if contender.direction == "load" else "create"], shape, source)
        return measurement

    def remove(self, contender):
        """Removes what a contender has written, which nothing needs any more."""
        shutil.rmtree(self.work / contender.folder, ignore_errors=True)
        if contender.output == "objects":
            self.bucket.remove(contender.folder + "/")

    def clean(self, every):
        for contender in every:
            self.remove(contender)
        for name in set(DATABASES.values()):
            database.sql("postgres", f"drop database if exists {name} with (force)")


def shell(command):
    result = subprocess.run(["bash", "-c", "set -o pipefail; " + command], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failed(f"{command}: {result.stderr[-300:]}")


def say(text):
    print(text, file=sys.stderr, flush=True)
