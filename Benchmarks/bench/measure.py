"""Runs one command, and measures the time and the memory that it and everything it starts take."""

import os
import pty
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# A command that takes longer hangs.
LIMIT_SECONDS = 1800
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A command ended with an error, or its result is not what it should be."""


@dataclass(frozen=True)
class Measurement:
    """What one run took: seconds, and bytes."""

    wall: float
    client: float  # processor time of the command and what it started
    memory: int  # peak of the memory of all these processes together, shared pages counted once
    postgres: float  # processor time of the server
    storage: float  # processor time of the S3 server


def processes_below(process):
    """A process and all its descendants that live."""
    found, waiting = [], [process]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            for thread in os.listdir(f"/proc/{one}/task"):
                waiting += map(int, Path(f"/proc/{one}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found


def memory(process):
    """The proportional set size of one process in bytes; 0 if it has ended."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def processor_seconds(process):
    """What a process, its descendants and those that have ended have used so far."""
    ticks = 0
    for one in processes_below(process):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(fields[place]) for place in range(11, 15))
    return ticks / TICKS


def peak_memory_until_exit(process):
    """Samples the memory of the tree until its root has ended; sampling takes about a fiftieth of one core."""
    peak, deadline = 0, time.monotonic() + LIMIT_SECONDS
    handle = os.pidfd_open(process)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        while True:
            start = time.monotonic()
            peak = max(peak, sum(map(memory, processes_below(process))))
            cost = time.monotonic() - start
            if start > deadline:
                raise Failed(f"not finished after {LIMIT_SECONDS} seconds")
            if poll.poll(max(10, 50_000 * cost)):
                return peak
    finally:
        os.close(handle)


def run(command, environment, log, servers):
    """Runs a command of the shell in a session of its own, and returns its `Measurement`.

    `servers` has `postgres_seconds()` and `storage_seconds()`. Raises `Failed` with the end of the output.
    """
    # A tree that needs less than this process cannot be told apart by the kernel's own peak.
    own_peak = resource_peak()
    # The Python tool takes a pipe on its standard input for its configuration: so it gets a terminal.
    terminal, standard_input = pty.openpty()
    shell = ["bash", "-c", command if is_simple(command) else f"set -o pipefail; {command}"]
    with open(log, "w+", encoding="utf-8", errors="replace") as output:
        postgres, storage = servers.postgres_seconds(), servers.storage_seconds()
        start = time.monotonic()
        process = subprocess.Popen(
            shell, stdin=standard_input, stdout=output, stderr=output, env=environment, start_new_session=True
        )
        try:
            peak = peak_memory_until_exit(process.pid)
            wall = time.monotonic() - start
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            os.close(terminal)
            os.close(standard_input)
        if process.returncode != 0:
            output.seek(0)
            raise Failed(f"exit status {process.returncode}: {output.read()[-600:].strip()}")
    servers.wait_until_idle()
    largest = usage.ru_maxrss * 1024
    return Measurement(
        wall,
        usage.ru_utime + usage.ru_stime,
        max(peak, largest if largest > own_peak else 0),
        servers.postgres_seconds() - postgres,
        servers.storage_seconds() - storage,
    )


def is_simple(command):
    """Whether the shell replaces itself by the command."""
    return not any(sign in command for sign in "|;&\n")


def resource_peak():
    """This process's own peak memory in bytes, which a child inherits until it runs its program."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
