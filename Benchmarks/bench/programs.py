"""The programs that are compared: where they are, their versions, and what is missing."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

from .servers import REPOSITORY

# How each says its version; those that are missing are named in the report, and not measured.
VERSIONS = {
    "psql": "psql --version",
    "pg_dump": "pg_dump --version",
    "pgcopydb": "pgcopydb --version 2>/dev/null",
    "gzip": "gzip --version",
    "igzip": "igzip --version 2>&1",
    "zstd": "zstd --version",
    "aws": "aws --version 2>&1",
}


class Programs:
    """`floor`, `binary`, `baseline` and `predecessor` are paths, or None if they cannot be had."""

    def __init__(self, work, binary, baseline, with_predecessor):
        self.missing = []
        self.versions = {}
        for name, command in VERSIONS.items():
            output = self.output(command) if shutil.which(name) else ""
            if output:
                self.versions[name] = output.splitlines()[0].strip()
            else:
                self.missing.append(f"{name} is not installed")
        self.floor = self.compile(work)
        self.binary = self.program("databudgie", binary)
        self.baseline = self.program("baseline", baseline) if baseline else None
        self.predecessor = self.find_predecessor() if with_predecessor else None

    @staticmethod
    def output(command):
        result = subprocess.run(
            command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
        )
        return result.stdout.strip() if result.returncode == 0 else ""

    def has(self, *names):
        return all(name in self.versions for name in names)

    def compile(self, work):
        program = work / "floor"
        include = self.output("pg_config --includedir")
        command = ["cc", "-O2", f"-I{include}", str(Path(__file__).with_name("floor.c")), "-lpq", "-o", str(program)]
        try:
            subprocess.run(command, check=True, capture_output=True)
            return program
        except (OSError, subprocess.CalledProcessError) as error:
            self.missing.append(f"the C loop cannot be compiled: {str(getattr(error, 'stderr', error))[-200:]}")
            return None

    def program(self, name, path):
        path = os.path.abspath(path)
        version = self.output(f"'{path}' --version")
        if not version:
            raise SystemExit(f"bench: {path} does not run: swift build -c release, or --binary FILE")
        self.versions[name] = f"{version} ({os.path.getsize(path) / 1e6:.0f} MB)"
        return path

    def find_predecessor(self):
        script = REPOSITORY / "scripts" / "python-tool"
        result = subprocess.run([script], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            self.missing.append(f"databudgie 2.9.3: {result.stderr.strip()}")
            return None
        self.versions["databudgie 2.9.3"] = "Python, psycopg 3"
        return result.stdout.strip()


def machine():
    """One sentence about where this runs."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = next(
        int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return f"{os.cpu_count()} cores of {model}, {memory / 1e6:.0f} GB of memory, {release}, Linux {platform.release()}"
