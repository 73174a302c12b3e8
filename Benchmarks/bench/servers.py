"""The servers of a benchmark: Postgres, S3, and proxies that delay; they end with this process."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import database
from .measure import processor_seconds

REPOSITORY = Path(__file__).resolve().parents[2]


class Servers:
    """Starts a Postgres server, and an S3 server if it is wanted, in a temporary folder."""

    def __init__(self, work, storage_gibibytes):
        self.work = work
        own = ["--until-exit-of", str(os.getpid())]
        os.environ.update(exports("postgres-server", "start", "--dir", str(work / "postgres"), *own))
        # The programs of the server's version, and not Debian's wrapper around them.
        binaries = (work / "postgres" / "binaries").read_text().strip()
        os.environ["PATH"] = f"{binaries}:{os.environ['PATH']}"
        data = Path(database.sql("postgres", "show data_directory"))
        self.postmaster = int((data / "postmaster.pid").read_text().split()[0])
        self.has_storage = storage_gibibytes > 0
        if self.has_storage:
            size = ["--size", str(storage_gibibytes)]
            os.environ.update(exports("s3-server", "start", "--dir", str(work / "s3"), *size, *own))
            os.environ["AWS_ENDPOINT_URL"] = os.environ["S3_ENDPOINT"]

    def postgres_seconds(self):
        return processor_seconds(self.postmaster)

    def storage_seconds(self):
        if not self.has_storage:
            return 0.0
        daemons = [file.read_text().split()[0] for file in (self.work / "s3" / "pid").iterdir()]
        return sum(processor_seconds(int(daemon)) for daemon in daemons)

    def wait_until_idle(self):
        """Waits for the ends of the sessions of a command: the server notices them a moment later."""
        others = (
            "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        deadline = time.monotonic() + 10
        while int(database.sql("postgres", others)) > 0 and time.monotonic() < deadline:
            time.sleep(0.02)

    def settle(self):
        """Writes out what earlier commands have left to be written, so that the next one does not wait for it."""
        database.sql("postgres", "checkpoint")
        os.sync()


def exports(script, *arguments):
    """The variables that a script of ours prints as `export NAME=VALUE`."""
    output = subprocess.run(
        [REPOSITORY / "scripts" / script, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    lines = (shlex.split(line)[1] for line in output.stdout.splitlines())
    return dict(line.split("=", 1) for line in lines)


@contextlib.contextmanager
def running(storage_gibibytes):
    """Servers in a folder of their own below TMPDIR, which is removed afterwards."""
    # The server's user reads and writes files in it.
    work = Path(tempfile.mkdtemp(prefix="databudgie-bench."))
    work.chmod(0o755)
    try:
        yield Servers(work, storage_gibibytes)
    finally:
        for script, folder in [("postgres-server", "postgres"), ("s3-server", "s3")]:
            subprocess.run([REPOSITORY / "scripts" / script, "stop", "--dir", work / folder], check=False)
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def delayed(milliseconds):
    """The environment of a client whose round trips to Postgres take so much longer."""
    if milliseconds == 0:
        yield {}
        return
    socket = f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ['PGPORT']}"
    command = [sys.executable, "-m", "bench.proxy", socket, str(milliseconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as proxy:
        try:
            yield {"PGHOST": "127.0.0.1", "PGPORT": proxy.stdout.readline().strip()}
        finally:
            proxy.terminate()
