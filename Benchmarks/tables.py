"""Measures backups and restores of many empty tables with their definitions, beside pg_dump and psql.

Prints one Markdown table: medians of interleaved runs, and ratios to pg_dump or psql on the same tables.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

CONFIGURATION = """
url: postgresql:///{database}?host={host}&port={port}&user={user}
ddl: {{enabled: true, location: {work}/tables/ddl}}
location: {work}/tables/{{table}}
tables: ['public.*']
"""


def sql(database, statement):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
    return subprocess.run(command, input=statement, text=True, check=True, capture_output=True).stdout.strip()


def seconds(command):
    start = time.monotonic()
    result = subprocess.run(command, shell=True, text=True, capture_output=True)
    if result.returncode != 0:
        sys.exit(f"{command}\n{result.stdout}{result.stderr}")
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--binary", required=True)
    options = parser.parse_args()
    work = options.work
    places = {name.lower(): os.environ["PG" + name] for name in ["HOST", "PORT", "USER"]}
    for database in ["many", "copy"]:
        text = CONFIGURATION.format(database=database, work=work, **places)
        (work / f"{database}.yml").write_text(text)
    sql("postgres", "create database many")
    for start in range(0, options.tables, 500):
        end = min(start + 500, options.tables)
        sql("many", "".join(
            f"create table t_{number:06} (id serial primary key, name text, parent int"
            f"{' references t_000000' if number else ''});"
            for number in range(start, end)
        ))
    rows = [
        ("backup: pg_dump --schema-only", f"pg_dump --schema-only -Fc -f {work}/many.dump many", None),
        ("backup: ours, with ddl", f"rm -rf {work}/tables; {options.binary} -c {work}/many.yml backup", None),
        ("restore: pg_restore", f"pg_restore -d copy {work}/many.dump", "copy"),
        ("restore: ours, with ddl", f"{options.binary} -c {work}/copy.yml restore", "copy"),
    ]
    times = {name: [] for name, _, _ in rows}
    for run in range(options.runs):
        for name, command, fresh in rows:
            if fresh:
                sql("postgres", f"drop database if exists {fresh}")
                sql("postgres", f"create database {fresh}")
            times[name].append(seconds(command))
            print(f"run {run + 1}: {name}: {times[name][-1]:.2f} s", file=sys.stderr)
    count = sql("copy", "select count(*) from pg_class where relkind = 'r' and relname like 't\\_%'")
    if int(count) != options.tables:
        sys.exit(f"{count} of {options.tables} tables were restored")
    print(f"{options.tables} empty tables, each with a sequence, two keys and text; medians of {options.runs}\n")
    print("| | seconds | ratio |\n|---|---|---|")
    for index, (name, _, _) in enumerate(rows):
        floor = statistics.median(times[rows[index - index % 2][0]])
        median = statistics.median(times[name])
        print(f"| {name} | {median:.2f} | {median / floor:.2f} |")


if __name__ == "__main__":
    main()
