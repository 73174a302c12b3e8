"""Who is measured: one contender is one way to back up, to restore, or to copy the tables of a shape."""

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from .database import quoted

# In this order: a restore reads what a backup has written.
DIRECTIONS = {
    "backup": "Backup",
    "load": "Restore into existing tables, whose rows are replaced",
    "create": "Restore into a new database",
    "copy": "Backup and restore into a new database",
}
DATABASES = {"backup": "bench_source", "load": "bench_target", "create": "bench_new", "copy": "bench_source"}
PSQL = "psql -Xq -v ON_ERROR_STOP=1"
OPTIONS = {"plain": "null", "gzip": "gzip", "zstd": "zstd"}


@dataclass
class Contender:
    """A command of the shell, and what was measured of it."""

    direction: str
    name: str
    command: str
    output: str = ""  # what its output is: "csv", "objects", "dump" or nothing
    needs: str = ""  # the backup that it reads
    jobs: int = 0  # of ours only
    folder: str = ""
    runs: list = field(default_factory=list)
    bytes: int = 0
    problem: str = ""

    @property
    def is_ours(self):
        return self.name.startswith("databudgie ") and not self.name.startswith("databudgie 2.9.3")

    @property
    def must_succeed(self):
        """What others cannot do is a result; what we, or the floors, cannot is a failure."""
        return self.is_ours or bool(re.match("F[0-9]", self.name))


class Field:
    """All contenders for a shape."""

    def __init__(self, work, programs, jobs, has_storage):
        self.work, self.programs, self.jobs, self.has_storage = work, programs, jobs, has_storage
        self.most = max(jobs)
        self.found = []

    def add(self, direction, name, command, output="", needs="", jobs=0):
        folder = re.sub("[^a-z0-9]+", "-", f"{direction} {name}".lower()).strip("-")
        contender = Contender(direction, name, command, output, needs, jobs, f"rows/{folder}")
        contender.command = command.replace("OUTPUT", shlex.quote(str(self.work / contender.folder)))
        self.found.append(contender)

    def path(self, direction, name):
        """The folder of an earlier contender's output."""
        return shlex.quote(
            str(self.work / next(one.folder for one in self.found if (one.direction, one.name) == (direction, name)))
        )

    def write(self, name, text):
        file = self.work / "scripts" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return shlex.quote(str(file))

    def for_shape(self, shape):
        self.found = []
        self.backups(shape)
        self.loads(shape)
        if not shape.context:
            self.creations(shape)
            self.copies(shape)
        return self.found

    def backups(self, shape):
        tables, has = [quoted(table) for table in shape.tables], self.programs.has
        names = self.write("tables", "".join(f"{table}\n" for table in shape.tables))
        floor = self.write("f0.sql", "".join(f"copy {table} to '/dev/null' csv header;\n" for table in tables))
        self.add("backup", "F0: server COPY to /dev/null", f"{PSQL} -f {floor}")
        if self.programs.floor:
            program = shlex.quote(str(self.programs.floor))
            self.add("backup", "F1: C loop, plain", f"mkdir OUTPUT && {program} out OUTPUT < {names}", "csv")
            if has("igzip") and not shape.is_many:
                self.add(
                    "backup",
                    "F2: C loop | igzip -1",
                    each(names, f"{program} out - $t | igzip -1 -c > OUTPUT/$t.csv.gz"),
                    "csv",
                )
        copies = [f"\\copy {table} to 'FOLDER/{name}.csv' csv header\n" for table, name in zip(tables, shape.tables)]
        folder = str(self.work / "rows" / "backup-psql-copy")
        script = self.write("copy-out.sql", "".join(copies).replace("FOLDER", folder))
        self.add("backup", r"psql \copy", f"mkdir OUTPUT && {PSQL} -f {script}", "csv")
        copy = f"{PSQL} -c '\\copy \"'$t'\" to stdout csv header'"
        if not shape.is_many:
            self.add("backup", "psql | gzip", each(names, f"{copy} | gzip > OUTPUT/$t.csv.gz"), "csv")
            if self.has_storage and has("zstd", "aws"):
                self.add(
                    "backup",
                    "psql | zstd | aws s3 cp",
                    each(names, f"{copy} | zstd -q | aws s3 cp --only-show-errors - s3://$S3_BUCKET/FOLDER/$t.csv.zst"),
                    "objects",
                )
                self.found[-1].command = self.found[-1].command.replace("FOLDER", self.found[-1].folder)
        only = "".join(f" -t {shlex.quote(table)}" for table in tables) if shape.context else ""
        for level in [6] if shape.is_many else [1, 6]:
            name = f"pg_dump -Fd -j{self.most} -Z{level}"
            self.add("backup", name, f"{name}{only} -f OUTPUT", "dump")
        if self.programs.predecessor and not shape.is_many:
            for compression in ["plain", "gzip"]:
                self.databudgie(
                    "backup", shape, compression, "local", 0, self.programs.predecessor, "databudgie 2.9.3 "
                )
        if self.programs.baseline:
            self.databudgie("backup", shape, "gzip", "local", 0, self.programs.baseline, "baseline ")
        for compression, place, jobs in self.variants(shape):
            self.databudgie("backup", shape, compression, place, jobs)
        if not shape.context:
            for place, jobs in self.with_definitions(shape):
                self.databudgie("backup", shape, "gzip", place, jobs, definitions=True)

    def variants(self, shape):
        """Compression, place and jobs of ours without definitions."""
        found = [("gzip", "local", jobs) for jobs in self.jobs]
        if not shape.is_many:
            found += [(compression, "local", jobs) for compression in ["plain", "zstd"] for jobs in self.jobs]
            if self.has_storage:
                found += [("gzip", "S3", jobs) for jobs in self.jobs]
                found += [(compression, "S3", self.most) for compression in ["plain", "zstd"]]
        return found

    def with_definitions(self, shape):
        found = [("local", jobs) for jobs in self.jobs]
        return found + ([("S3", self.most)] if self.has_storage else [])

    def loads(self, shape):
        tables = [quoted(table) for table in shape.tables]
        names = shlex.quote(str(self.work / "scripts" / "tables"))
        plain = "psql \\copy"
        files = [f"{self.work}/rows/backup-psql-copy/{table}.csv" for table in shape.tables]
        truncate = f"truncate {', '.join(tables)};\n"
        server = [f"copy {table} from '{file}' csv header;\n" for table, file in zip(tables, files)]
        client = [f"\\copy {table} from '{file}' csv header\n" for table, file in zip(tables, files)]
        floor = self.write("f0-in.sql", truncate + "".join(server))
        self.add("load", "F0: TRUNCATE, server COPY from file, keys live", f"{PSQL} -1f {floor}", needs=plain)
        if shape.by_hand:
            self.add(
                "load",
                "by hand: drop, TRUNCATE, COPY FREEZE, build again",
                f"{PSQL} -v file={files[0]} -f {shape.by_hand}",
                needs=plain,
            )
        if len(tables) == 1:
            if self.programs.floor:
                self.add(
                    "load",
                    "F1: C loop",
                    f"{shlex.quote(str(self.programs.floor))} in " f"{self.path('backup', plain)} < {names}",
                    needs=plain,
                )
            copy_in = f"{PSQL} -c {shlex.quote('truncate ' + tables[0])} -c '\\copy {tables[0]} from pstdin csv header'"
            self.add(
                "load",
                "zcat | psql \\copy",
                f"zcat {self.path('backup', 'psql | gzip')}/*.csv.gz | {copy_in}",
                needs="psql | gzip",
            )
            aws = next((one for one in self.found if one.output == "objects"), None)
            if aws and aws.name.startswith("psql"):
                self.add(
                    "load",
                    "aws s3 cp | zstd -d | psql \\copy",
                    f"aws s3 cp --only-show-errors s3://$S3_BUCKET/{aws.folder}/{shape.tables[0]}.csv.zst - | zstd -dq "
                    f"| {copy_in}",
                    needs=aws.name,
                )
            dump = f"pg_dump -Fd -j{self.most} -Z6"
            self.add(
                "load",
                "TRUNCATE, pg_restore -a",
                f"{PSQL} -c {shlex.quote('truncate ' + tables[0])} && "
                f"pg_restore -a -d {DATABASES['load']} {self.path('backup', dump)}",
                needs=dump,
            )
        else:
            script = self.write("copy-in.sql", truncate + "".join(client))
            self.add("load", "TRUNCATE, psql \\copy", f"{PSQL} -f {script}", needs=plain)
        if self.programs.predecessor and not shape.is_many:
            self.databudgie("load", shape, "gzip", "local", 0, self.programs.predecessor, "databudgie 2.9.3 ")
        if self.programs.baseline:
            self.databudgie("load", shape, "gzip", "local", 0, self.programs.baseline, "baseline ")
        for compression, place, jobs in self.variants(shape):
            self.databudgie("load", shape, compression, place, jobs)

    def creations(self, shape):
        names = ["pre-data", "post-data"]
        before, after = (shlex.quote(str(self.work / "scripts" / f"{name}.sql")) for name in names)
        files = [f"{self.work}/rows/backup-psql-copy/{table}.csv" for table in shape.tables]
        copies = self.write(
            "f0-new.sql",
            "set search_path = public;\n"
            + "".join(f"copy {quoted(table)} from '{file}' csv header;\n" for table, file in zip(shape.tables, files)),
        )
        self.add(
            "create",
            "F0: tables, server COPY from file, keys by psql",
            f"{PSQL} -f {before} -f {copies} -f {after}",
            needs="psql \\copy",
        )
        dump = f"pg_dump -Fd -j{self.most} -Z6"
        self.add(
            "create",
            f"pg_restore -j{self.most}",
            f"pg_restore -j{self.most} -d {DATABASES['create']} {self.path('backup', dump)}",
            needs=dump,
        )
        for place, jobs in self.with_definitions(shape):
            self.databudgie("create", shape, "gzip", place, jobs, definitions=True)

    def copies(self, shape):
        most, new = self.most, DATABASES["create"]
        url = "'postgresql:///{}'"
        self.add(
            "copy",
            f"pg_dump -Fd -j{most} -Z1, pg_restore -j{most}",
            f"rm -rf OUTPUT && pg_dump -Fd -j{most} -Z1 -f OUTPUT && pg_restore -j{most} -d {new} OUTPUT",
        )
        if self.programs.has("pgcopydb"):
            self.add(
                "copy",
                f"pgcopydb clone, {most} jobs",
                f"rm -rf OUTPUT && pgcopydb clone --dir OUTPUT --table-jobs {most} --index-jobs {most} --source "
                f"{url.format(DATABASES['copy'])} --target {url.format(new)}",
            )
        name = f"databudgie zstd, local, -j{most}"
        configuration = self.configuration(shape, "zstd", "OUTPUT", most, True, DATABASES["copy"], new)
        folder = self.work / "rows" / "copy-databudgie"
        file = self.write("copy.yml", configuration.replace("OUTPUT", str(folder)))
        program = f"{shlex.quote(self.programs.binary)} -c {file}"
        self.add("copy", name, f"rm -rf {folder} && {program} backup && {program} restore", jobs=most)

    def databudgie(
        self, direction, shape, compression, place, jobs, binary=None, prefix="databudgie ", definitions=False
    ):
        """A backup, or a restore of it, by ours or (`jobs` 0) by another program that reads the same configuration."""
        name = (
            f"{prefix}{compression}, {place}"
            + (f", -j{jobs}" if jobs else "")
            + (", with definitions" if definitions else "")
        )
        self.add(direction, name, "", jobs=jobs)
        contender = self.found[-1]
        backup = (
            contender
            if direction == "backup"
            else next(one for one in self.found if (one.direction, one.name) == ("backup", name))
        )
        root = self.work if place == "local" else f"s3://{os.environ['S3_BUCKET']}"
        if direction == "backup":
            contender.output = "csv" if place == "local" else "objects"
        else:
            contender.needs = name
        text = self.configuration(
            shape,
            compression,
            f"{root}/{backup.folder}",
            jobs,
            definitions,
            DATABASES["backup"],
            DATABASES["create" if definitions else "load"],
        )
        file = self.write(Path(contender.folder).name + ".yml", text)
        verb = "backup" if direction == "backup" else "restore" + (" --yes" if "2.9.3" in prefix else "")
        contender.command = f"{shlex.quote(binary or self.programs.binary)} -c {file} {verb}"

    def configuration(self, shape, compression, location, jobs, definitions, source, target):
        """What databudgie and its predecessor read. The address of the server is in the environment, for the proxy."""
        url = "postgresql://<% ENV[PGUSER] %>@/{}?host=<% ENV[PGHOST] %>&port=<% ENV[PGPORT] %>"
        lines = [f"location: {location}/{{table}}", f"compression: {OPTIONS[compression]}"]
        lines += [f"jobs: {jobs}"] if jobs else []
        lines += [f"ddl: {{enabled: true, location: {location}/definitions}}"] if definitions else []
        whole = shape.is_many or definitions
        lines += ["tables: ['public.*']"] if whole else ["tables:"] + [f"  - public.{table}" for table in shape.tables]
        lines += ["backup:", f"  url: {url.format(source)}", "restore:", f"  url: {url.format(target)}"]
        lines += [] if definitions else ["  truncate: true"]
        return "\n".join(lines) + "\n"


def each(names, command):
    """A pipe of the shell for each table, $t, that writes below OUTPUT; the first that fails ends it."""
    return f"mkdir -p OUTPUT; while read -r t; do {command} || exit 1; done < {names}"
