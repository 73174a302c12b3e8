"""Measures subsets of a shop with tenants beside other ways to get the same rows. Called by scripts/bench --subset.

Prints one Markdown table: medians of interleaved runs. Processor time of the server is that of its backends.
"""
import argparse
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import time
import urllib.parse

CONFIGURATION = """
url: postgresql:///{database}?host={host}&port={port}&user={user}
location: {work}/subset-{percent}/{{table}}
tables: ["public.*"]
subset:
  start:
    public.tenants: id <= {last}
restore:
  truncate: true
"""
TABLES = """countries products tenants users teams memberships customers orders order_lines shipments payments messages
    events""".split()
HERE = pathlib.Path(__file__).parent


def sql(database, statement):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
    return subprocess.run(command, input=statement, text=True, check=True, capture_output=True).stdout.strip()


def quietly(command):
    result = subprocess.run(command, shell=True, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{command}\n{result.stdout}{result.stderr}")


def processor_seconds(postmaster):
    """What the server has used so far, by its processes that have ended; those that are left are counted as well."""
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if stat.parent.name == postmaster:
            ticks += sum(int(fields[place]) for place in range(11, 15))
        elif fields[1] == postmaster:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def run(command, postmaster, work):
    """Seconds, processor seconds of the server and of the client, and the client's peak memory in bytes."""
    with open(work / "log", "w+") as log:
        server, start = processor_seconds(postmaster), time.monotonic()
        process = subprocess.Popen(["bash", "-c", "set -o pipefail; " + command], stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        # The server notices the end of a session a moment later.
        while int(sql("postgres", "select count(*) from pg_stat_activity where datname like 'shop%'")) > 0:
            time.sleep(0.02)
        server = processor_seconds(postmaster) - server
        log.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"exit status {process.returncode}: {log.read()[-400:].strip()}")
    return wall, server, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


class Row:
    def __init__(self, percent, name, command, fresh=None):
        self.percent, self.name, self.command, self.fresh = percent, name, command, fresh
        self.runs, self.problem = [], None


def rows(options, places, percent):
    last = max(1, options.tenants * percent // 100)
    work = options.work
    configuration = work / f"subset-{percent}.yml"
    configuration.write_text(CONFIGURATION.format(database="shop", work=work, percent=percent, last=last, **places))
    whole = work / "whole.yml"
    whole.write_text(configuration.read_text().partition("subset:")[0])
    copies = " ".join(f"-c {shlex.quote(f'copy (select * from {table}) to {chr(39)}/dev/null{chr(39)} csv header')}"
                      for table in TABLES)
    ours = f"{options.binary} -c {configuration}"
    # It does not know sockets.
    password = urllib.parse.quote((work / "postgres" / "password").read_text().strip(), safe="")
    url = f"postgresql://{places['user']}:{password}@127.0.0.1:{places['port']}/shop"
    found = [
        Row(percent, "floor: COPY of the same rows from a database that has no others", f"psql -Xq -d shop_{percent} {copies}"),
        Row(percent, "ours: backup", f"{ours} backup", work / f"subset-{percent}"),
        Row(percent, "ours: the search alone (plan backup)", f"{ours} plan backup"),
        Row(percent, "ours: plan backup without a subset (the catalog and the locks)", f"{options.binary} -c {whole} plan backup"),
        Row(percent, "temporary tables: the search alone",
            f"psql -Xq -v ON_ERROR_STOP=1 -d shop -c \"set bench.start = 'id <= {last}'\" -f {HERE / 'temporary.sql'}"),
    ]
    if options.dbslice:
        found.append(Row(percent, "dbslice", f"{options.dbslice} extract {shlex.quote(url)} --direction both --depth 10 "
                         f"--seed {shlex.quote(f'tenants:id <= {last}')} --out-file {work}/dbslice.sql"))
    if options.pg_sample:
        found.append(Row(percent, "pg_sample, children by hand", pg_sample(options, last)))
    return found


def pg_sample(options, last):
    """It follows references to parents only, so each table that belongs to a tenant needs a condition."""
    own = "tenants=id users=tenant_id teams=tenant_id customers=tenant_id orders.*=tenant_id events=tenant_id".split()
    limits = [f"{table} = {column} <= {last}" for table, column in (entry.split("=") for entry in own)]
    orders = f"order_id in (select id from orders where tenant_id <= {last})"
    limits += [f"{table} = {orders}" for table in ["order_lines", "shipments", "payments"]]
    users = f"in (select id from users where tenant_id <= {last})"
    limits += [f"messages = sender_id {users}", f"memberships = user_id {users}", "products = 0", "countries = 0"]
    return f"{options.pg_sample} --force " + " ".join(f"--limit={shlex.quote(limit)}" for limit in limits) \
        + f" shop > {options.work}/pg_sample.sql"


def prepare(options, places, percents):
    """The shop, and for each share a database with the rows of the subset alone."""
    sql("postgres", "alter system set autovacuum = off")
    sql("postgres", "select pg_reload_conf()")
    sql("postgres", "create database shop")
    command = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-v", f"tenants={options.tenants}", "-d", "shop", "-f", HERE / "shop.sql"]
    subprocess.run(command, check=True)
    counts = {}
    for percent in percents:
        last = max(1, options.tenants * percent // 100)
        target = f"shop_{percent}"
        sql("postgres", f"create database {target}")
        quietly(f"pg_dump -s shop | psql -Xq -v ON_ERROR_STOP=1 -d {target}")
        configuration = options.work / f"first-{percent}.yml"
        text = CONFIGURATION.format(database="shop", work=options.work, percent=percent, last=last, **places)
        configuration.write_text(text)
        quietly(f"{options.binary} -c {configuration} backup")
        url = f"postgresql:///{target}?host={places['host']}&port={places['port']}&user={places['user']}"
        # All foreign keys are checked by the server here.
        quietly(f"{options.binary} -c {configuration} --url '{url}' restore")
        counts[percent] = sum(int(sql(target, f"select count(*) from {table}")) for table in TABLES)
        output = subprocess.run(
            ["psql", "-XqAt", "-d", "shop", "-c", f"set bench.start = 'id <= {last}'", "-f", HERE / "temporary.sql"],
            capture_output=True, text=True, check=True).stdout.split()
        if int(output[-1]) != counts[percent]:
            sys.exit(f"{percent} %: {counts[percent]} rows, but {output[-1]} by temporary tables")
        sql(target, "vacuum analyze")
    return counts


def report(all_rows, counts, options):
    heap = int(sql("shop", "select sum(pg_table_size(oid)) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"))
    total = sum(int(sql("shop", f"select count(*) from {table}")) for table in TABLES)
    print(f"{options.tenants:,} tenants, {total:,} rows in {heap / 1e6:,.0f} MB of tables; Postgres "
          f"{sql('shop', 'show server_version')}; {os.cpu_count()} processors; medians of {options.runs}.")
    for percent, count in counts.items():
        print(f"\n{percent} % of the tenants: {count:,} rows.\n")
        print("| | seconds | server CPU s | µs a row | × floor | client CPU s | client peak MB |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        floor = None
        for row in (row for row in all_rows if row.percent == percent):
            if row.problem:
                print(f"| {row.name} | failed: {' '.join(row.problem.split())[-120:]} | | | | | |")
                continue
            wall, server, client, memory = (statistics.median(values) for values in zip(*row.runs))
            floor = floor or server
            print(f"| {row.name} | {wall:.2f} | {server:.2f} | {server / count * 1e6:.1f} | {server / floor:.2f} "
                  f"| {client:.2f} | {memory / 1e6:.0f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenants", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--dbslice")
    parser.add_argument("--pg-sample")
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    if not os.access(options.binary, os.X_OK):
        sys.exit(f"there is no {options.binary}: run swift build -c release")
    places = {name.lower(): os.environ["PG" + name] for name in ["HOST", "PORT", "USER"]}
    percents = [1, 10]
    postmaster = pathlib.Path(sql("postgres", "show data_directory"), "postmaster.pid").read_text().split()[0]
    counts = prepare(options, places, percents)
    all_rows = [row for percent in percents for row in rows(options, places, percent)]
    for number in range(options.runs):
        for row in (row for row in all_rows if not row.problem):
            if row.fresh:
                shutil.rmtree(row.fresh, ignore_errors=True)
            print(f"run {number + 1}: {row.percent} %, {row.name}", file=sys.stderr)
            try:
                row.runs.append(run(row.command, postmaster, options.work))
            except RuntimeError as error:
                row.problem = str(error)
    report(all_rows, counts, options)
    # What others cannot do is a result; what we cannot is a failure.
    sys.exit(next((row.problem for row in all_rows if row.problem and row.name.startswith(("ours", "floor"))), None))


if __name__ == "__main__":
    main()
