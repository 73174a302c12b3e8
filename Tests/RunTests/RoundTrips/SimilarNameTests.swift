import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

/// Two tables whose names are easily taken for one another.
@Suite("Tables of similar names")
struct SimilarNameTests {
    private static let dotted = """
        create schema "a.b"; create table "a.b".c (id int primary key);
        create schema a; create table a."b.c" (id int primary key, x text);
        """
    private static let dottedRows = #"insert into "a.b".c values (1); insert into a."b.c" values (2, 'x'), (3, 'y');"#

    /// Expects the rows of the source in the target.
    private func expectRows(_ fixture: RunFixture, _ location: SourceLocation = #_sourceLocation) async throws {
        let (first, second) = (#"select * from "a.b".c"#, #"select * from a."b.c" order by 1"#)
        #expect(try await fixture.rows(fixture.target, first) == ["1"], sourceLocation: location)
        #expect(try await fixture.rows(fixture.target, second) == ["2|x", "3|y"], sourceLocation: location)
    }

    @Test(
        "A dot in a schema and a dot in a table are told apart, in files, definitions and rows",
        arguments: [false, true]
    )
    func dots(ddl: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.dotted + Self.dottedRows)
            if !ddl { try await fixture.execute(fixture.target, Self.dotted) }
            let yaml = "{root_location: \(fixture.folder), location: '{table}', ddl: \(ddl), tables: ['*.*']}"
            let backup = try await fixture.backup(yaml)
            #expect(backup.failed.map(\.description) == [])
            #expect(backup.finished.map(\.job.name) == [#"a."b.c""#, #""a.b".c"#])
            let folders = try fixture.files().map { $0.split(separator: "/").dropLast().joined(separator: "/") }
            let data = ["a%2Eb.c", "a.b%2Ec"]
            let definitions = ["a%2Eb.c/ddl", "a%2Eb/ddl", "a.b%2Ec/ddl", "a/ddl", "backups/ddl"]
            #expect(folders.sorted() == (ddl ? data + definitions : data).sorted())
            for _ in 1...2 {
                let restore = try await fixture.restore(
                    ddl ? yaml : yaml.replacing("tables", with: "truncate: true, tables")
                )
                #expect(restore.failed.map(\.description) == [])
                #expect(restore.finished.count == 2)
                try await expectRows(fixture)
            }
            guard ddl else { return }
            try await fixture.expectEqualDefinitions()
            try FileManager.default.removeItem(atPath: fixture.folder + "/a%2Eb.c/ddl")
            try fixture.forgetSets()
            let lines = await fixture.preflightLines(yaml)
            #expect(lines.first?.hasPrefix(#""a.b".c: there is no definition in "#) == true, "\(lines)")
        }
    }

    @Test(
        "The manifest records them under two names, and a run that is resumed does what is missing",
        arguments: [false, true]
    )
    func manifest(ddl: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.dotted + Self.dottedRows)
            if !ddl { try await fixture.execute(fixture.target, Self.dotted) }
            try await fixture.onBoth(ManifestTable("m").definition)
            var configuration = try fixture.configuration(
                "{root_location: \(fixture.folder), location: '{table}', ddl: \(ddl), manifest: m, tables: ['*.*']}"
            )
            (configuration.backup.run.resumeID, configuration.restore.run.resumeID) = (4, 4)
            let recorded = #"select "table" from m order by "table" collate "C""#
            let labels = [#""a.b".c"#, #"a."b.c""#]
            #expect(try await BackupRun(configuration).run().finished.count == 2)
            #expect(try await fixture.rows(fixture.source, recorded) == labels)
            #expect(try await BackupRun(configuration).run().skipped.count == 2)
            let environment = RunEnvironment(now: Date() + 10)
            for label in labels {
                try await fixture.execute(fixture.source, "delete from m where \"table\" = \(quotedLiteral(label))")
                let resumed = try await BackupRun(configuration, environment: environment).run()
                #expect(resumed.finished.map(\.job.name) == [label])
                for file in try fixture.files() where file.contains(RunTimestamp(environment.now).timestamp) {
                    try FileManager.default.removeItem(atPath: fixture.folder + "/" + file)
                }
            }
            try fixture.forgetSets()
            #expect(try await RestoreRun(configuration).run().finished.count == 2)
            try await expectRows(fixture)
            #expect(try await fixture.rows(fixture.target, recorded) == labels)
            try await fixture.execute(
                fixture.target,
                #"delete from m where "table" = '"a.b".c'; delete from "a.b".c; delete from a."b.c" where id = 3"#
            )
            let resumed = try await RestoreRun(configuration).run()
            #expect(resumed.failed.map(\.description) == [])
            #expect(resumed.finished.map(\.job.name) == [#""a.b".c"#])
            #expect(try await fixture.rows(fixture.target, #"select * from "a.b".c"#) == ["1"])
            // Proof that the other one is not loaded again.
            #expect(try await fixture.rows(fixture.target, #"select * from a."b.c""#) == ["2|x"])
        }
    }

    @Test(
        "Names that differ in case only, and names too long for a disk, have files of their own and come back",
        arguments: StorageUnderTest.allCases,
        [false, true]
    )
    func caseAndLength(_ kind: StorageUnderTest, ddl: Bool) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                let long = String(repeating: "/", count: 62)
                let tables =
                    ["A", "a", "Ab", "aB", long + "1", long + "2"].map {
                        QualifiedName(schema: "public", name: $0)
                    } + ["S", "s", long].map { QualifiedName(schema: $0, name: long + "3") }
                let schema =
                    ["S", "s", long].map { "create schema \(quotedIdentifier($0));" }.joined()
                    + tables.map { "create table \($0.quoted) (id int primary key, x text);" }.joined()
                try await fixture.execute(fixture.source, schema)
                if !ddl { try await fixture.execute(fixture.target, schema) }
                for (number, table) in tables.enumerated() {
                    try await fixture.execute(fixture.source, "insert into \(table.quoted) values (\(number), 'x')")
                }
                let configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', ddl: \(ddl), truncate: true, tables: ['*.*']}"
                )
                var environment = RunEnvironment()
                if kind == .s3 { environment.variables = try await S3Server.shared.environment }
                let backup = try await BackupRun(configuration, environment: environment).run()
                #expect(backup.failed.map(\.description) == [])
                let files = try await storage.list(folder, recursive: true).map(\.path.description)
                #expect(Set(files.map { $0.lowercased() }).count == files.count)
                #expect(files.count { $0.hasSuffix(".csv") } == tables.count)
                for _ in 1...2 {
                    let restore = try await RestoreRun(configuration, environment: environment).run()
                    #expect(restore.failed.map(\.description) == [])
                    #expect(restore.finished.count == tables.count)
                    for (number, table) in tables.enumerated() {
                        let rows = try await fixture.rows(fixture.target, "select * from \(table.quoted)")
                        #expect(rows == ["\(number)|x"], "\(table)")
                    }
                }
            }
        }
    }

    @Test(
        "Definitions of tables and schemas whose names differ in case only have files of their own, and plain ones are read"
    )
    func caseOfDefinitions() async throws {
        try await RunFixture.with { fixture in
            let function = "() returns text language sql as $$ select 'of "
            try await fixture.execute(
                fixture.source,
                """
                create table "A" (id int primary key, upper text); create table a (id int primary key, lower text);
                create schema "F"; create function "F".x\(function)F' $$;
                create schema f; create function f.x\(function)f' $$;
                """
            )
            let yaml = "{root_location: \(fixture.folder), location: '{table}', ddl: true, tables: ['*.*']}"
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            let folders = Set(try fixture.files().map { $0.split(separator: "/").dropLast().joined(separator: "/") })
            #expect(folders.isSuperset(of: ["public.%41/ddl", "public.a/ddl", "%46/ddl", "f/ddl"]), "\(folders)")
            #expect(Set(folders.map { $0.lowercased() }).count == folders.count)
            try fixture.forgetSets()
            for renamed in [[], [("public.%41", "public.A"), ("%46", "F")]] {
                // As earlier versions wrote them, to disks that do not ignore case.
                for (encoded, plain) in renamed {
                    try FileManager.default.moveItem(
                        atPath: fixture.folder + "/" + encoded,
                        toPath: fixture.folder + "/" + plain
                    )
                }
                let restore = try await fixture.restore(yaml)
                #expect(restore.failed.map(\.description) == [])
                try await fixture.expectEqualDefinitions()
                try await fixture.execute(
                    fixture.target,
                    #"drop table "A", a; drop schema "F" cascade; drop schema f cascade"#
                )
            }
        }
    }

    @Test(
        "A table that a table with a twin refers to is found below the encoded name, with its definition",
        arguments: [false, true]
    )
    func referencedByTwin(ddl: Bool) async throws {
        try await RunFixture.with { fixture in
            let schema = """
                create table ref (id int primary key);
                create table "A" (id int primary key, r int references ref);
                """
            try await fixture.execute(
                fixture.source,
                schema
                    + "create table a (id int primary key); insert into ref values (1); insert into \"A\" values (2, 1)"
            )
            // Where there is no twin.
            if !ddl { try await fixture.execute(fixture.target, schema) }
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', ddl: \(ddl), follow_foreign_keys: true,
                 tables: [public.A]}
                """
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            #expect(try fixture.files().contains { $0.hasPrefix("public.%41/public.ref/") })
            let restore = try await fixture.restore(yaml)
            #expect(restore.failed.map(\.description) == [])
            #expect(try await fixture.rows(fixture.target, #"select * from "A""#) == ["2|1"])
            #expect(try await fixture.rows(fixture.target, "select * from ref") == ["1"])
        }
    }

    @Test(
        "Names that differ in Unicode normalisation only are two tables with two files and two sequences",
        arguments: StorageUnderTest.allCases,
        [false, true]
    )
    func normalisation(_ kind: StorageUnderTest, ddl: Bool) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                let names = ["\u{E9}", "e\u{301}"]
                let tables = names.map(quotedIdentifier)
                let schema = tables.map { "create table \($0) (id serial primary key, \($0) text);" }.joined()
                try await fixture.execute(fixture.source, schema)
                if !ddl { try await fixture.execute(fixture.target, schema) }
                for (number, table) in tables.enumerated() {
                    try await fixture.execute(
                        fixture.source,
                        "insert into \(table) (\(table)) select 'row ' || i from generate_series(1, \(number + 2)) i"
                    )
                }
                let configuration = try fixture.configuration(
                    """
                    {root_location: '\(folder)', location: '{table}', ddl: \(ddl), truncate: true, tables: ['public.*']}
                    """
                )
                var environment = RunEnvironment()
                if kind == .s3 { environment.variables = try await S3Server.shared.environment }
                let backup = try await BackupRun(configuration, environment: environment).run()
                #expect(backup.failed.map(\.description) == [])
                #expect(Set(backup.finished.map { Array($0.job.name.utf8) }).count == 2)
                let folders = try await storage.list(folder, recursive: true).compactMap { $0.path.parent?.description }
                for name in names {
                    let place = "\(folder)/public.\(name)"
                    for sub in ddl ? ["", "/sequences", "/ddl"] : ["", "/sequences"] {
                        #expect(
                            folders.count { $0.utf8.elementsEqual((place + sub).utf8) } == 1,
                            "\(name.utf8.count)\(sub)"
                        )
                    }
                }
                for _ in 1...2 {
                    let restore = try await RestoreRun(configuration, environment: environment).run()
                    #expect(restore.failed.map(\.description) == [])
                    #expect(restore.finished.map(\.totals.rows).sorted() == [2, 3])
                    for (number, (name, table)) in zip(names, tables).enumerated() {
                        let rows = try await fixture.rows(fixture.target, "select * from \(table) order by id")
                        #expect(rows == (1...number + 2).map { "\($0)|row \($0)" })
                        let sequence = quotedIdentifier(name + "_id_seq")
                        let value = try await fixture.rows(fixture.target, "select last_value from \(sequence)")
                        #expect(value == ["\(number + 2)"])
                    }
                }
            }
        }
    }
}
