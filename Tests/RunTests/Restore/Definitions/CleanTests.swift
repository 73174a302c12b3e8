import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Restores into a re-created database")
struct CleanTests {
    private func restore(
        _ fixture: RunFixture,
        _ more: String = "",
        isConfirmed: Bool = true,
        isDryRun: Bool = false
    ) async throws -> RunReport {
        var configuration = try fixture.configuration(fixture.ddlYAML("[a, b]", more))
        configuration.restore.run.definitions.recreatesDatabase = true
        configuration.restore.assumesYes = isConfirmed
        configuration.restore.run.isDryRun = isDryRun
        return try await RestoreRun(configuration).run()
    }

    /// A backup of two tables, and a target with a table of its own.
    private func withBackup(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a (id serial primary key); create table b (id int primary key references a);
                insert into a select from generate_series(1, 3); insert into b values (1);
                """
            )
            _ = try await fixture.backup(fixture.ddlYAML("['public.*']"))
            try await fixture.execute(
                fixture.target,
                "create table mine (id int); create view v as select id from mine"
            )
            try await body(fixture)
        }
    }

    private func expectRefusal(
        _ fixture: RunFixture,
        _ code: DatabudgieError.Code,
        _ text: String,
        _ more: String = "",
        isConfirmed: Bool = true
    ) async throws {
        let error = await #expect(throws: DatabudgieError.self) {
            try await restore(fixture, more, isConfirmed: isConfirmed)
        }
        #expect(error?.code == code)
        #expect(error?.effect == .nothingChanged)
        #expect(error?.description.contains(text) == true, "\(String(describing: error))")
        #expect(try await fixture.names(fixture.target) == ["mine", "v"])
    }

    @Test("The database has the definitions and rows of the backup, and its owner, encoding and collation are kept")
    func clean() async throws {
        try await PostgresServer.withRole { role in
            try await withBackup { fixture in
                let name = quotedIdentifier(fixture.target.keywords["dbname"] ?? "")
                try await fixture.execute(fixture.source, "drop database \(name)")
                try await fixture.execute(
                    fixture.source,
                    "create database \(name) template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' owner \(role)"
                )
                let properties = """
                    select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider
                    from pg_database where datname = current_database()
                    """
                let before = try await fixture.rows(fixture.target, properties)
                try await fixture.execute(fixture.target, "create table mine (id int)")
                try await Connection.withConnection(to: fixture.target) { other in
                    let report = try await restore(fixture)
                    #expect(report.failed.isEmpty)
                    await #expect(throws: PostgresError.self) { try await other.query("select 1") }
                }
                #expect(try await fixture.rows(fixture.target, properties) == before)
                #expect(before.first?.contains("LATIN1") == true)
                #expect(try await fixture.names(fixture.target) == ["a", "a_id_seq", "b"])
                #expect(try await fixture.rows(fixture.target, "select last_value from a_id_seq") == ["3"])
            }
        }
    }

    @Test("Without a confirmation nothing is changed, and a dry run needs none")
    func confirmation() async throws {
        try await withBackup { fixture in
            try await expectRefusal(fixture, .configuration, "pass --yes", isConfirmed: false)
            #expect(try await restore(fixture, isConfirmed: false, isDryRun: true).failed.isEmpty)
            #expect(try await fixture.names(fixture.target) == ["mine", "v"])
        }
    }

    @Test("What is missing or damaged is found before the database is dropped")
    func files() async throws {
        try await withBackup { fixture in
            let files = try fixture.files()
            func file(_ folder: String) throws -> String {
                try #require(files.first { ($0 as NSString).deletingLastPathComponent == folder })
            }
            let (data, list, definition) = (try file("public.b"), try file("backups/ddl"), try file("public.a/ddl"))
            try fixture.forgetSets()
            let text = try fixture.text(data)
            for damaged in [Data(), Data([0x1F, 0x8B, 8, 0, 0])] {
                try fixture.write(damaged, to: data)
                try await expectRefusal(fixture, .dataFile, data)
            }
            try FileManager.default.removeItem(atPath: fixture.folder + "/" + data)
            try await expectRefusal(fixture, .preflight, "public.b: there is no data file")
            try fixture.write(text, to: data)
            try FileManager.default.removeItem(atPath: fixture.folder + "/" + definition)
            try await expectRefusal(fixture, .preflight, "public.a: there is no definition")
            try FileManager.default.removeItem(atPath: fixture.folder + "/" + list)
            try await expectRefusal(fixture, .preflight, "there is no list of tables")
        }
    }

    @Test("A role without CREATEDB, or that does not own the database, is refused before anything is changed")
    func rights() async throws {
        try await PostgresServer.withRole("LOGIN CREATEDB") { creator in
            try await PostgresServer.withRole { owner in
                try await withBackup { fixture in
                    let name = quotedIdentifier(fixture.target.keywords["dbname"] ?? "")
                    try await fixture.execute(fixture.target, "alter database \(name) owner to \(owner)")
                    for role in [creator, owner] {
                        try await expectRefusal(fixture.connected(as: role), .preflight, "CREATEDB")
                    }
                }
            }
        }
    }

    @Test("The manifest is re-created with the database, and has what was restored")
    func manifest() async throws {
        try await withBackup { fixture in
            try await fixture.execute(fixture.target, ManifestTable("m").definition)
            #expect(try await restore(fixture, "manifest: m").failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select \"table\" from m") == ["public.a", "public.b"])
            #expect(try await fixture.names(fixture.target).contains("mine") == false)
        }
    }

    @Test("A schema that the manifest shares with the backup keeps the backup's owner")
    func manifestSchema() async throws {
        try await PostgresServer.withRole { owner in
            try await withBackup { fixture in
                try await fixture.execute(
                    fixture.source,
                    "create schema app authorization \(quotedIdentifier(owner)); create table app.t (i int)"
                )
                try await fixture.execute(fixture.target, "create schema app")
                let manifest = try ManifestTable("app.m")
                try await fixture.execute(fixture.target, manifest.definition)
                _ = try await fixture.backup(fixture.ddlYAML("['*.*']"))
                var configuration = try fixture.configuration(
                    fixture.ddlYAML("['*.*']", "manifest: app.m")
                )
                configuration.restore.run.definitions.recreatesDatabase = true
                configuration.restore.assumesYes = true
                #expect(try await RestoreRun(configuration).run().failed.isEmpty)
                let query = "select nspowner::regrole::text from pg_namespace where nspname = 'app'"
                #expect(try await fixture.rows(fixture.target, query) == [owner])
            }
        }
    }
}
