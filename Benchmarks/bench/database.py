"""What is asked of Postgres apart from the measured commands: by psql, over the unix socket."""

import hashlib
import os
import secrets
import subprocess
import tempfile
from dataclasses import dataclass

from .measure import Failed

PSQL = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"]

# Keys and indexes with their definitions, and whether they are valid.
STRUCTURE = """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated from pg_constraint
where conrelid <> 0 and connamespace = 'public'::regnamespace
union all
select indrelid::regclass::text, relname, pg_get_indexdef(indexrelid), indisvalid and indisready
from pg_index join pg_class on pg_class.oid = indexrelid where relnamespace = 'public'::regnamespace
order by 1, 2, 3
"""


@dataclass(frozen=True)
class Source:
    """What the tables of a shape have in them, by name."""

    rows: int
    csv_bytes: int
    csv: dict  # SHA-256 of the file that COPY … CSV HEADER writes
    text: dict  # SHA-256 of what COPY writes without options, as pg_dump does
    contents: dict  # count and hash of the rows in any order
    structure: str


def sql(database, *statements):
    """Runs statements, and returns what they print."""
    return script(database, ";\n".join(statements))


def script(database, text, *options):
    result = subprocess.run(
        [*PSQL, "-d", database, *options],
        input=text,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, "PGOPTIONS": "-c client_min_messages=error"},
    )
    if result.returncode != 0:
        raise Failed(f"{database}: {result.stderr[-600:].strip()}")
    return result.stdout.strip()


def create(database):
    """Creates a database, or an empty one in place of that which there is."""
    sql("postgres", f"drop database if exists {database} with (force)")
    sql("postgres", f"create database {database}")
    # A scan begins at the table's start, so that the order of the rows is always the same.
    sql("postgres", f"alter database {database} set synchronize_seqscans = off")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def source(database, tables):
    """Reads the tables in one go, in both formats. Their order is that of COPY."""
    csv, csv_bytes = hashes(database, tables, " csv header")
    text, _ = hashes(database, tables, "")
    found = contents(database, tables)
    rows = sum(int(content.split("|")[0]) for content in found.values())
    return Source(rows, csv_bytes, csv, text, found, structure(database))


def hashes(database, tables, options):
    """SHA-256 of each table's COPY, and how many bytes they are together."""
    mark = b"--" + secrets.token_hex(16).encode() + b"\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as statements:
        for table in tables:
            statements.write(f"copy {quoted(table)} to stdout{options};\n\\echo {mark.decode()}")
        statements.flush()
        process = subprocess.Popen([*PSQL, "-d", database, "-f", statements.name], stdout=subprocess.PIPE)
        found, total, names, digest, rest = {}, 0, iter(tables), hashlib.sha256(), b""
        while piece := process.stdout.read(1 << 20):
            *ended, rest = (rest + piece).split(mark)
            for data in ended:
                digest.update(data)
                total += len(data)
                found[next(names)] = digest.hexdigest()
                digest = hashlib.sha256()
            # What may be the beginning of a mark waits for the next piece.
            safe = max(0, len(rest) - len(mark))
            digest.update(rest[:safe])
            total += safe
            rest = rest[safe:]
        if process.wait() != 0:
            raise Failed(f"{database}: the tables could not be read")
    return found, total


def contents(database, tables):
    """`rows|hash` of each table; the order of the rows does not matter."""
    statement = "select {literal}, count(*), coalesce(sum(hashtextextended(r::text, 0)::numeric), 0) from {table} r;\n"
    lines = script(
        database,
        "".join(
            statement.format(literal="'" + table.replace("'", "''") + "'", table=quoted(table)) for table in tables
        ),
    )
    return dict(line.split("|", 1) for line in lines.splitlines())


def structure(database):
    return sql(database, STRUCTURE)
