"""Runs the rows of the benchmark in turn, each several times, and prints their medians. Called by scripts/bench."""

import argparse
import os
import pty
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

CSV_BYTES_PER_ROW = 123
OURS = [("plain", "null"), ("gzip", "gzip"), ("zstd", "zstd")]
SUFFIXES = {"plain": "", "gzip": ".gz", "zstd": ".zst"}
TRUNCATE = "-c 'truncate sales'"


class Row:
    """One way to back up or restore, and what was measured of it."""

    def __init__(self, name, command, output=None, after=None):
        self.name, self.command, self.output, self.after = name, command, output, after
        self.done, self.runs, self.problem = False, [], None


def make_rows():
    """All rows by direction; `{…}` in a command is filled in later, `after` names the backup that a restore reads."""
    backups = [
        Row("floor: COPY TO '/dev/null'", """psql -c "copy sales to '/dev/null' csv header" """),
        Row("psql copy", r"""psql -c "\copy sales to '{work}/psql.csv' csv header" """, "psql.csv"),
        Row("psql copy, gzip -6", r"""psql -c '\copy sales to stdout csv header' | gzip -6 > {work}/psql.csv.gz""", "psql.csv.gz"),
        Row("pg_dump -Fd -Z6", "pg_dump -Fd -Z6 -t sales -f {work}/dump", "dump"),
    ]
    restores = [
        Row("floor: COPY FROM '/file'", f"""psql -q1 {TRUNCATE} -c "copy sales from '{{work}}/psql.csv' csv header" """, after="psql copy"),
        Row("psql copy", rf"""psql -q1 {TRUNCATE} -c "\copy sales from '{{work}}/psql.csv' csv header" """, after="psql copy"),
        Row("zcat, psql copy", rf"zcat {{work}}/psql.csv.gz | psql -q1 {TRUNCATE} -c '\copy sales from pstdin csv header'", after="psql copy, gzip -6"),
        Row("pg_restore", f"psql -q {TRUNCATE} && pg_restore -a -1 -d {{database}} {{work}}/dump", after="pg_dump -Fd -Z6"),
    ]
    for name, value in OURS[:2]:
        folder = f"predecessor-{name}"
        backups.append(Row(f"databudgie 2.9.3 {name}", f"{{predecessor}} -c {{work}}/{folder}.yml backup", folder))
        restores.append(Row(f"databudgie 2.9.3 {name}", f"{{predecessor}} -c {{work}}/{folder}.yml restore --yes", after=f"databudgie 2.9.3 {name}"))
    for place in ["local", "S3"]:
        for name, value in OURS:
            folder = f"ours-{place}-{name}"
            backups.append(Row(f"ours {name}, {place}", f"{{binary}} -c {{work}}/{folder}.yml backup", folder))
            restores.append(Row(f"ours {name}, {place}", f"{{binary}} -c {{work}}/{folder}.yml restore", after=f"ours {name}, {place}"))
    return {"backup": backups, "restore": restores}


def write_configurations(work):
    """One file for each of our rows and the Python tool's, which reads the same configuration."""
    url = "postgresql://{PGUSER}@/{database}?host={PGHOST}&port={PGPORT}"
    source, target = (url.format(database=name, **os.environ) for name in ["bench", "bench_target"])
    folders = [(f"predecessor-{name}", value, work) for name, value in OURS[:2]]
    folders += [(f"ours-local-{name}", value, work) for name, value in OURS]
    folders += [(f"ours-S3-{name}", value, f"s3://{os.environ['S3_BUCKET']}") for name, value in OURS]
    for folder, compression, place in folders:
        table = f"name: public.sales\n      location: {place}/{folder}\n      compression: {compression}\n"
        Path(work, f"{folder}.yml").write_text(
            f"backup:\n  url: {source}\n  tables:\n    - {table}      filename: sales.{{ext}}\n"
            f"restore:\n  url: {target}\n  tables:\n    - {table}      filename: sales.{{ext}}\n      truncate: true\n"
        )


def sql(database, *statements):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
    return subprocess.run(command + [a for s in statements for a in ("-c", s)], check=True, capture_output=True, text=True).stdout.strip()


def processor_seconds(work):
    """What the daemons of the S3 server have used so far."""
    ticks = 0
    for file in Path(work, "s3", "pid").iterdir():
        fields = Path("/proc", file.read_text().split()[0], "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def output_size(row, work):
    """The size of what a backup wrote, in bytes."""
    if row.output and row.output.startswith("ours-S3"):
        listing = subprocess.run(
            ["curl", "-s", "--aws-sigv4", f"aws:amz:{os.environ['AWS_REGION']}:s3", "--user",
             f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}",
             f"{os.environ['S3_ENDPOINT']}/{os.environ['S3_BUCKET']}?list-type=2&prefix={row.output}%2F"],
            capture_output=True, text=True).stdout
        return sum(map(int, re.findall(r"<Size>(\d+)</Size>", listing)))
    path = Path(work, row.output or "none")
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*.*") if f.is_file())


def run(row, direction, options, rows):
    """Runs a row once. Returns wall seconds, processor seconds, peak memory in bytes, the S3 server's processor seconds."""
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
    print(f"{rows:,} rows, {csv_bytes / 1e6:,.0f} MB of CSV; Postgres {version}; {os.cpu_count()} processors; medians of {options.runs}.\n")
    print("| | seconds | × floor | client CPU s | client peak MB | S3 server CPU s | output MB |\n|---|---:|---:|---:|---:|---:|---:|")
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
            print(f"| {direction}: {row.name} | {wall:.2f} | {ratio} | {client:.1f} | {memory / 1e6:.0f} | {server} | {size} |")


def main():
    parser = argparse.ArgumentParser()
    for name, kind in [("size", int), ("runs", int), ("only", str), ("work", str), ("binary", str), ("predecessor", str)]:
        parser.add_argument(f"--{name}", type=kind)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    all_rows = make_rows()
    if options.list:
        return print("\n".join(f"{direction}: {row.name}" for direction, some in all_rows.items() for row in some))
    chosen = {d: [row for row in some if re.search(options.only, f"{d}: {row.name}")] for d, some in all_rows.items()}
    options.binary = os.path.abspath(options.binary)
    rows = options.size * 1_000_000 // CSV_BYTES_PER_ROW
    print(f"making {rows:,} rows", file=sys.stderr)
    sql("postgres", "create database bench", "create database bench_target")
    subprocess.run(["psql", "-Xq", "-d", "bench", "-v", "ON_ERROR_STOP=1", "-v", f"rows={rows}", "-f", Path(__file__).with_name("sales.sql")],
                   check=True, stdout=subprocess.DEVNULL)
    schema = subprocess.run(["pg_dump", "-s", "-t", "sales", "bench"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["psql", "-Xq", "-d", "bench_target"], input=schema, check=True, text=True, stdout=subprocess.DEVNULL)
    write_configurations(options.work)
    measure(all_rows, chosen, options, rows)
    csv_bytes = int(subprocess.run("psql -d bench -c 'copy sales to stdout csv header' | wc -c", shell=True, check=True, capture_output=True).stdout)
    report(chosen, options, rows, csv_bytes)
    problems = [f"{d}: {row.name}: {row.problem}" for d, some in chosen.items() for row in some if row.problem]
    sys.exit("\n".join(problems) or None)


main()
