"""Checks the checks: what is wrong has to be found, or no figure means anything."""

import shutil

from . import check, database
from .contenders import DATABASES
from .measure import Failed
from .rounds import shell
from .shapes import all_shapes


def must_fail(what, function, *arguments):
    try:
        function(*arguments)
    except Failed:
        return
    raise Failed(f"the benchmark does not notice {what}")


def run(work):
    """Copies a small table by hand, finds it right, and then wrong in every way that the checks are for."""
    shape = all_shapes([])["keys"]
    name, target, folder, dump = DATABASES["backup"], DATABASES["load"], work / "selftest", work / "selftest-dump"
    database.create(name)
    shape.build(name, 0.05)
    source = database.source(name, shape.tables)
    folder.mkdir()
    files = [folder / "one.csv.gz", folder / "two.csv"]
    shell(f"psql -Xq -d {name} -c 'copy purchases to stdout csv header' | gzip > {files[0]}")
    check.csv_folder(folder, source)
    shell(f"gzip -dc {files[0]} | sed '2s/Product/Produkt/' > {files[1]}")
    must_fail("a file too many", check.csv_folder, folder, source)
    files[0].unlink()
    must_fail("a letter that differs in a file", check.csv_folder, folder, source)
    shell(f"pg_dump -Fd -f {dump} -t purchases {name}")
    check.dump(dump, source)
    change = f"gzip -dc $file | sed '1s/Product/Produkt/' | gzip > {dump}/x; mv {dump}/x $file"
    shell(f"for file in {dump}/*.dat.gz; do {change}; done")
    must_fail("a letter that differs in a dump", check.dump, dump, source)
    changes = {
        "a value that differs": "update purchases set paid = not paid where id = 7",
        "a row that is missing": "delete from purchases where id = 7",
        "a row that is there twice": "alter table purchases drop constraint purchases_pkey; "
        "insert into purchases select * from purchases where id = 7",
        "an index that is missing": "drop index purchases_product",
        "a key that was not validated": "alter table purchases drop constraint purchases_customer; "
        "alter table purchases add constraint purchases_customer foreign key (customer_id) references customers "
        "not valid",
    }
    for what, change in changes.items():
        database.sql("postgres", f"drop database if exists {target} with (force)")
        database.sql("postgres", f"create database {target} template {name}")
        # Other places of the rows are no difference.
        database.sql(target, "update purchases set id = id")
        check.tables(target, shape, source)
        database.script(target, change)
        must_fail(what, check.tables, target, shape, source)
    for one in [folder, dump]:
        shutil.rmtree(one)
