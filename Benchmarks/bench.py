"""Runs the rows of the benchmark in turn, each several times, and prints their medians. Called by scripts/bench."""

import argparse
import json
import os
import pty
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

CSV_BYTES_PER_ROW = 123
OURS = [("plain", "null"), ("gzip", "gzip"), ("zstd", "zstd")]
PLACES = ["local", "S3"]
CONFIGURATION = """
location: {location}
filename: sales.{{ext}}
compression: {compression}
tables:
  - name: public.sales
backup:
  url: {source}
restore:
  url: {target}
  truncate: true
"""
TRUNCATE = "-c 'truncate sales'"


class Row:
    """One way to back up or restore, and what was measured of it."""

    def __init__(self, name, command, output=None, after=None):
        self.name, self.command, self.output, self.after = name, command, output, after
        self.done, self.runs, self.problem = False, [], None


def make_rows():
    """All rows by direction; `{…}` in a command is filled in later, `after` names the backup that a restore reads."""
    copy_in = f"psql -q1 {TRUNCATE} -c"
    backups = [
        Row("floor: COPY TO '/dev/null'", """psql -c "copy sales to '/dev/null' csv header" """),
        Row("psql copy", r"""psql -c "\copy sales to '{work}/psql.csv' csv header" """, "psql.csv"),
        Row("psql copy, gzip -6", r"psql -c '\copy sales to stdout csv header' | gzip -6 > {work}/gzip.csv.gz", "gzip.csv.gz"),
        Row("pg_dump -Fd -Z6", "pg_dump -Fd -Z6 -t sales -f {work}/dump", "dump"),
    ]
    restores = [
        Row("floor: COPY FROM '/file'", copy_in + """ "copy sales from '{work}/psql.csv' csv header" """, None, "psql copy"),
        Row("psql copy", copy_in + r""" "\copy sales from '{work}/psql.csv' csv header" """, None, "psql copy"),
        Row("zcat, psql copy", f"zcat {{work}}/gzip.csv.gz | {copy_in} '\\copy sales from pstdin csv header'",
            None, "psql copy, gzip -6"),
        Row("pg_restore", f"psql -q {TRUNCATE} && pg_restore -a -1 -d {{database}} {{work}}/dump", None, "pg_dump -Fd -Z6"),
    ]
    ours = [(f"databudgie 2.9.3 {name}", f"predecessor-{name}", "{predecessor}", " --yes") for name, _ in OURS[:2]]
    ours += [(f"ours {name}, {place}", f"ours-{place}-{name}", "{binary}", "") for place in PLACES for name, _ in OURS]
    for name, folder, binary, options in ours:
        command = f"{binary} -c {{work}}/{folder}.yml"
        backups.append(Row(name, command + " backup", folder))
        restores.append(Row(name, command + " restore" + options, after=name))
    return {"backup": backups, "restore": restores}


def write_configurations(work):
    """One file for each of our rows and the Python tool's, which reads the same configuration."""
    url = "postgresql://{PGUSER}@/{database}?host={PGHOST}&port={PGPORT}"
    source, target = (url.format(database=name, **os.environ) for name in ["bench", "bench_target"])
    folders = [(f"predecessor-{name}", value, work) for name, value in OURS[:2]]
    for place, root in zip(PLACES, [work, f"s3://{os.environ['S3_BUCKET']}"]):
        folders += [(f"ours-{place}-{name}", value, root) for name, value in OURS]
    for folder, compression, place in folders:
        Path(work, f"{folder}.yml").write_text(
            CONFIGURATION.format(source=source, target=target, location=f"{place}/{folder}", compression=compression)
        )


def shell(command, text=None):
    return subprocess.run(command, shell=True, check=True, input=text, stdout=subprocess.PIPE, text=True).stdout


def sql(database, *statements):
    return shell(f"psql -XqAt -v ON_ERROR_STOP=1 -d {database}", ";\n".join(statements)).strip()


def processor_seconds(work):
    """What the daemons of the S3 server have used so far."""
    ticks = 0
    for file in Path(work, "s3", "pid").iterdir():
        fields = Path("/proc", file.read_text().split()[0], "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def output_size(row, work):
    """The size of what a backup wrote, in bytes."""
    if row.output.startswith("ours-S3"):
        listing = shell(f"radosgw-admin -c {work}/s3/ceph.conf bucket list --bucket {os.environ['S3_BUCKET']} 2>&-")
        return sum(file["meta"]["size"] for file in json.loads(listing) if file["name"].startswith(row.output))
    path = Path(work, row.output)
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*.*") if f.is_file())


def run(row, direction, options, rows):
    """Runs a row once. Returns seconds, processor seconds, peak memory in bytes, processor seconds of the S3 server."""
    if row.output:
        path = Path(options.work, row.output)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    database = "bench" if direction == "backup" else "bench_target"
    sql(database, "checkpoint")
    command = row.command.format(database=database, **vars(options))
    # The Python tool takes a pipe on its standard input for its configuration: so it gets a terminal.
    terminal, standard_input = pty.openpty()
    with open(Path(options.work, "log"), "w+") as log:
        server, start = processor_seconds(options.work), time.monotonic()
        process = subprocess.Popen(
            ["bash", "-c", "set -o pipefail; " + command], stdin=standard_input, stdout=log, stderr=log,
            env={**os.environ, "PGDATABASE": database})
        _, status, usage = os.wait4(process.pid, 0)
        wall, server = time.monotonic() - start, processor_seconds(options.work) - server
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        output = log.read()
    os.close(terminal), os.close(standard_input)
    if process.returncode != 0:
        raise RuntimeError(f"exit status {process.returncode}: {output[-600:]}")
    if direction == "restore" and (count := int(sql(database, "select count(*) from sales"))) != rows:
        raise RuntimeError(f"{count} rows instead of {rows}")
    row.done = True
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, server


def measure(all_rows, chosen, options, rows):
    backups = {row.name: row for row in all_rows["backup"]}
    for number in range(options.runs):
        for direction in all_rows:
            for row in (row for row in chosen[direction] if not row.problem):
                print(f"run {number + 1}: {direction} {row.name}", file=sys.stderr)
                try:
                    if row.name.startswith("ours") and not os.access(options.binary, os.X_OK):
                        raise RuntimeError(f"there is no {options.binary}: run swift build -c release")
                    if row.after and not backups[row.after].done:
                        run(backups[row.after], "backup", options, rows)
                    row.runs.append(run(row, direction, options, rows))
                except RuntimeError as error:
                    row.problem = str(error)


def report(chosen, options, rows, csv_bytes):
    version = sql("bench", "show server_version")
    print(f"{rows:,} rows, {csv_bytes / 1e6:,.0f} MB of CSV; Postgres {version}; {os.cpu_count()} processors; "
          f"medians of {options.runs}.\n")
    print("| | seconds | × floor | client CPU s | client peak MB | S3 server CPU s | output MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for direction, some in chosen.items():
        floor = None
        for row in some:
            if row.problem:
                print(f"| {direction}: {row.name} | failed | | | | | |")
                continue
            wall, client, memory, server = (statistics.median(values) for values in zip(*row.runs))
            floor = wall if row.name.startswith("floor") else floor
            ratio = f"{wall / floor:.2f}" if floor else ""
            size = f"{output_size(row, options.work) / 1e6:,.0f}" if row.output else ""
            server = f"{server:.1f}" if "S3" in row.name else ""
            print(f"| {direction}: {row.name} | {wall:.2f} | {ratio} | {client:.1f} | {memory / 1e6:.0f} "
                  f"| {server} | {size} |")


def main():
    parser = argparse.ArgumentParser()
    for name in ["only", "work", "binary", "predecessor"]:
        parser.add_argument(f"--{name}")
    parser.add_argument("--size", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    all_rows = make_rows()
    if options.list:
        return [print(f"{direction}: {row.name}") for direction, some in all_rows.items() for row in some]
    chosen = {
        direction: [row for row in some if re.search(options.only, f"{direction}: {row.name}")]
        for direction, some in all_rows.items()
    }
    options.binary = os.path.abspath(options.binary)
    rows = options.size * 1_000_000 // CSV_BYTES_PER_ROW
    print(f"making {rows:,} rows", file=sys.stderr)
    sql("postgres", "create database bench", "create database bench_target")
    shell(f"psql -Xq -v ON_ERROR_STOP=1 -v rows={rows} -d bench -f '{Path(__file__).with_name('sales.sql')}'")
    shell("pg_dump -s -t sales bench | psql -Xq -d bench_target")
    write_configurations(options.work)
    measure(all_rows, chosen, options, rows)
    csv_bytes = int(shell("psql -d bench -c 'copy sales to stdout csv header' | wc -c"))
    report(chosen, options, rows, csv_bytes)
    problems = [f"{d}: {row.name}: {row.problem}" for d, some in chosen.items() for row in some if row.problem]
    sys.exit("\n".join(problems) or None)


main()
