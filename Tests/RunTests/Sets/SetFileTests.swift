import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("The files of a restored set")
struct SetFileTests {
    @Test("A file of another size, or with other bytes, and one that is missing fail their tables alone")
    func swapped() async throws {
        try await SetFixture.with(.local, "create table a (id int); create table b (id int); create table c (id int);")
        {
            fixture in
            for table in ["a", "b", "c"] {
                try await fixture.run.execute(fixture.run.source, "insert into \(table) values (1), (2)")
            }
            try await fixture.backup(1, "['public.*']")
            let (a, b) = (
                fixture.path("public.a/\(SetFixture.id(1)).csv"), fixture.path("public.b/\(SetFixture.id(1)).csv")
            )
            #expect(try String(contentsOfFile: a, encoding: .utf8) == "id\n1\n2\n")
            // Cut off at the end of a line, which nothing in a plain file tells.
            try Data("id\n1\n".utf8).write(to: URL(filePath: a))
            try Data("id\n123\n".utf8).write(to: URL(filePath: b))
            let report = try await fixture.restore("['public.*']")
            #expect(
                report.failed.map(\.message) == [
                    "\(a) has 5 bytes, but 7 in the set \(SetFixture.id(1)): it was replaced or damaged",
                    "\(b), segment 1 at byte 0: its bytes are not those that were written (SHA-256)",
                ]
            )
            #expect(report.finished.map(\.job.name) == ["public.c"])
            #expect(try await fixture.loaded() == "NULL|NULL")
            try FileManager.default.removeItem(atPath: a)
            let missing = try await fixture.restore("['public.a', 'public.c']")
            #expect(
                missing.failed.map(\.message) == ["\(a), which the set \(SetFixture.id(1)) consists of, is missing"]
            )
            #expect(
                missing.failed.first?.hint?.hasPrefix("verify the set with 'databudgie verify \(SetFixture.id(1))'")
                    == true
            )
        }
    }

    @Test(
        "One changed byte fails its table, in rows of any length and compression",
        arguments: StorageUnderTest.allCases
    )
    func changedByte(_ kind: StorageUnderTest) async throws {
        try await SetFixture.with(kind, "create table a (id serial, t text); create table b (id serial, t text);") {
            fixture in
            for table in ["a", "b"] {
                try await fixture.run.execute(
                    fixture.run.source,
                    "insert into \(table) (t) select repeat(g::text, 1000) from generate_series(1, 2000) g"
                )
            }
            try await fixture.backup(1, "['public.*']")
            // A digit of a value is another one then, which no other check notices.
            let path = try await fixture.replace("public.a/\(SetFixture.id(1)).csv") { bytes in
                bytes[try #require(bytes.lastIndex(of: UInt8(ascii: "7")))] = UInt8(ascii: "8")
            }
            let sequences = try await fixture.replace("public.b/sequences/\(SetFixture.id(1)).json") { bytes in
                bytes[try #require(bytes.lastIndex(of: UInt8(ascii: "2")))] = UInt8(ascii: "3")
            }
            let report = try await fixture.restore("['public.*']")
            #expect(report.failed.map(\.job.name) == ["public.b", "public.a"])
            #expect(
                report.failed.map(\.message) == [
                    "\(sequences) is not the file of the set \(SetFixture.id(1)): its SHA-256 is another",
                    "\(path), segment 1 at byte 0: its bytes are not those that were written (SHA-256)",
                ]
            )
            #expect(try await fixture.run.rows(fixture.run.target, "select * from a union all select * from b") == [])
        }
    }

    @Test("A set that was copied elsewhere is restored from there, with definitions and sequences")
    func copied() async throws {
        try await RunFixture.with { run in
            try await run.execute(
                run.source,
                """
                create schema app; create table app.a (id serial, b int); create view app.v as select id from app.a;
                insert into app.a (b) select 1 from generate_series(1, 5);
                """
            )
            let tables = "location: 'data/{table}', ddl: {enabled: true, location: lists}, tables: ['app.*']"
            let backup = try await run.backup("{root_location: \(run.folder)/old, \(tables)}")
            #expect(backup.failed.isEmpty)
            try FileManager.default.moveItem(atPath: run.folder + "/old", toPath: run.folder + "/new")
            let report = try await run.restore(
                "{catalog: \(run.folder)/new/catalog, ddl: {enabled: true, location: \(run.folder)/old/lists}, "
                    + "tables: [{name: 'app.*', location: '\(run.folder)/old/data/{table}'}]}"
            )
            #expect(report.failed.isEmpty && report.set == backup.set)
            #expect(report.definitions == ["app.a", "app.v"])
            #expect(try await run.rows(run.target, "select count(*), nextval('app.a_id_seq') from app.v") == ["5|6"])
        }
    }

    @Test(
        "Definitions are those of the set, and not of a newer list; damaged ones are refused",
        arguments: StorageUnderTest.allCases
    )
    func definitions(_ kind: StorageUnderTest) async throws {
        try await SetFixture.with(kind) { fixture in
            let source = fixture.run.source
            try await fixture.backup(1, "['public.*']", "ddl: true", rows: 1)
            try await fixture.run.execute(source, "alter table b add column later int")
            try await fixture.backup(2, "[b]", "ddl: true, catalog: catalog", rows: 2)
            let events = EventLog()
            let report = try await fixture.restore("['public.*']", "ddl: true", events: events)
            #expect(report.failed.isEmpty && report.set == SetFixture.id(1) && report.definitions.count == 2)
            #expect(try await fixture.loaded() == "1|1")
            let columns = "select attname from pg_attribute where attrelid = 'b'::regclass and attnum > 0"
            #expect(try await fixture.run.rows(fixture.run.target, columns) == ["id"])
            // A set without definitions does not do.
            try await fixture.backup(3, "['public.*']", rows: 3)
            let later = EventLog()
            #expect(try await fixture.restore("['public.*']", "ddl: true", events: later).set == SetFixture.id(1))
            #expect(later.warnings.first?.hasPrefix("the set \(SetFixture.id(3)) lacks definitions; ") == true)
            #expect(try await fixture.restore("['public.*']").set == SetFixture.id(3))
        }
    }

    @Test("A file of definitions that was changed fails its table")
    func changedDefinitions() async throws {
        try await SetFixture.with { fixture in
            try await fixture.backup(1, "['public.*']", "ddl: true", rows: 1)
            try await fixture.run.execute(fixture.run.target, "drop table a, b")
            let path = fixture.path("public.a/ddl/\(SetFixture.id(1)).sql")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("integer"))
            try Data(text.replacing("integer", with: "INTEGER").utf8).write(to: URL(filePath: path))
            let report = try await fixture.restore("['public.*']", "ddl: true")
            #expect(
                report.failed.map(\.message) == [
                    "\(path) is not the file of the set \(SetFixture.id(1)): its SHA-256 is another"
                ]
            )
            #expect(report.finished.map(\.job.name) == ["public.b"])
        }
    }

    @Test("Entries of one table with different queries are told apart, wherever their files are")
    func queries() async throws {
        try await SetFixture.with { fixture in
            try await fixture.run.execute(fixture.run.source, "insert into a select generate_series(1, 4)")
            let even = "{name: a, query: 'select * from {table} where id % 2 = 0', location: even}"
            let odd = "{name: a, query: 'select * from {table} where id % 2 = 1', location: odd}"
            try await fixture.backup(1, "[\(even), \(odd)]")
            #expect(try await fixture.restore("[\(even)]", "catalog: catalog").finished.map(\.totals.rows) == [2])
            #expect(try await fixture.loaded() == "2,4|NULL")
            let moved = "[\(even.replacing("location: even", with: "location: x")), \(odd)]"
            #expect(try await fixture.restore(moved, "catalog: catalog").failed.isEmpty)
            #expect(try await fixture.loaded() == "1,2,3,4|NULL")
        }
    }

    @Test("Tables that are included by foreign keys, partitions and sequences alone come from the set")
    func relatives() async throws {
        let schema = """
            create table kind (id int primary key);
            create table event (id serial, kind int references kind) partition by range (id);
            create table event_1 partition of event for values from (0) to (1000);
            """
        try await SetFixture.with(.local, schema) { fixture in
            let tables = "[{name: event, follow_foreign_keys: true}]"
            for day in [1, 2] {
                try await fixture.run.execute(
                    fixture.run.source,
                    "insert into kind values (\(day)); insert into event (kind) values (\(day))"
                )
                try await fixture.backup(day, tables)
            }
            let set = SetSelection.id("2026-01-01")
            let report = try await fixture.restore(tables, set: set)
            #expect(report.failed.isEmpty && report.finished.map(\.job.name) == ["public.kind", "public.event"])
            #expect(try await fixture.run.rows(fixture.run.target, "select kind, id from event_1") == ["1|1"])
            let alone = try await fixture.restore("[{name: event, data: false}]")
            #expect(alone.failed.isEmpty && alone.set == SetFixture.id(2))
            #expect(try await fixture.run.rows(fixture.run.target, "select last_value from event_id_seq") == ["2"])
        }
    }
}
