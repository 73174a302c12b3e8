"""Compares what a contender has written with the source: every byte of a file, every row of a table."""

import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path

from . import database
from .measure import Failed

# How pg_dump ends the rows of a table in a folder.
END_OF_DUMP = b"\\.\n\n\n"
DECOMPRESSORS = {".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dcq"]}


def digest(file, tail=b""):
    """SHA-256 of the decompressed bytes, without `tail`, with which they have to end."""
    command = DECOMPRESSORS.get(file.suffix)
    # Three times as fast, but it lets bytes after the end pass: gzip reads what is small.
    if file.suffix == ".gz" and file.stat().st_size > 10_000_000 and shutil.which("igzip"):
        command = ["igzip", "-dc"]
    if file.suffix == ".gz" and file.stat().st_size < 1 << 20:
        pieces = iter([gzip.decompress(file.read_bytes())])
        return digest_of(pieces, tail, file)
    if command is None:
        with open(file, "rb") as handle:
            return digest_of(iter(lambda: handle.read(1 << 20), b""), tail, file)
    with subprocess.Popen([*command, file], stdout=subprocess.PIPE) as process:
        found = digest_of(iter(lambda: process.stdout.read(1 << 20), b""), tail, file)
        if process.wait() != 0:
            raise Failed(f"{file.name} cannot be decompressed")
    return found


def digest_of(pieces, tail, file):
    found, rest = hashlib.sha256(), b""
    for piece in pieces:
        rest += piece
        safe = len(rest) - len(tail)
        if safe > 0:
            found.update(rest[:safe])
            rest = rest[safe:]
    if rest != tail:
        raise Failed(f"{file.name} does not end as it should")
    return found.hexdigest()


def compare(found, expected, what):
    if sorted(found) != sorted(expected.values()):
        right = len(set(found) & set(expected.values()))
        raise Failed(f"{len(found)} {what}, of which {right} of {len(expected)} have the bytes of their tables")


def csv_folder(folder, source):
    """Checks the CSV files below a folder, and returns the size of all files in bytes."""
    files = [file for file in Path(folder).rglob("*") if file.is_file()]
    data = [file for file in files if file.name.endswith((".csv", ".csv.gz", ".csv.zst"))]
    compare([digest(file) for file in data], source.csv, "CSV files")
    return sum(file.stat().st_size for file in files)


def csv_objects(bucket, prefix, source, work):
    """Does the same for objects in S3."""
    found, total = [], 0
    for key, size in bucket.list(prefix + "/"):
        total += size
        if not key.endswith((".csv", ".csv.gz", ".csv.zst")):
            continue
        file = work / ("object" + Path(key).suffix)
        with open(file, "wb") as handle:
            for piece in bucket.pieces(key):
                handle.write(piece)
        found.append(digest(file))
        file.unlink()
    compare(found, source.csv, "objects")
    return total


def dump(folder, source):
    """Does the same for what pg_dump -Fd has written."""
    files = [file for file in Path(folder).iterdir() if file.name[0].isdigit()]
    compare([digest(file, END_OF_DUMP) for file in files], source.text, "files of a dump")
    return sum(file.stat().st_size for file in Path(folder).iterdir())


def tables(name, shape, source):
    """Checks rows, keys and indexes of a restored database."""
    found = database.contents(name, shape.tables)
    for table, expected in source.contents.items():
        if found[table] != expected:
            raise Failed(f"{table} has rows|hash {found[table]} instead of {expected}")
    structure = database.structure(name)
    if structure != source.structure:
        lines = sorted(set(structure.splitlines()) ^ set(source.structure.splitlines()))
        raise Failed(f"keys or indexes differ: {lines[:3]}")
