import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores with definitions that are resumed after a crash")
struct DefinitionResumeTests {
    private func restore(_ fixture: RunFixture, _ yaml: String) async throws -> RunReport {
        var configuration = try fixture.configuration(yaml)
        configuration.restore.run.resumeID = 7
        return try await RestoreRun(configuration).run()
    }

    @Test("Tables that are done keep their rows and get their indexes and keys, the others are loaded once")
    func resume() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, ManifestTable("m").definition)
            try await fixture.execute(
                fixture.source,
                """
                create table a (id serial primary key); insert into a select from generate_series(1, 3);
                create table p (id int primary key) partition by range (id); create index p_i on p ((id + 1));
                create table p_a partition of p for values from (0) to (10); insert into p values (1), (2);
                create table z (id int primary key, a int references a); insert into z values (1, 1);
                create view v as select id from p;
                """
            )
            let yaml = fixture.ddlYAML("['public.*', v]", "exclude: [m], manifest: m")
            _ = try await fixture.backup(fixture.ddlYAML("['public.*', v]"))
            try fixture.write("id,a\nx,1\n", to: "public.z/2999-01-01T00:00:00.csv")
            try fixture.forgetSets()
            let first = try await restore(fixture, yaml)
            #expect(first.failed.map(\.job.description) == ["public.z"])
            // As if the run had ended before it made the indexes; the row shows that nothing is loaded again.
            try await fixture.execute(
                fixture.target,
                "drop index p_i; alter table a drop constraint a_pkey cascade; insert into p values (3)"
            )
            try FileManager.default.removeItem(atPath: fixture.folder + "/public.z/2999-01-01T00:00:00.csv")
            let second = try await restore(fixture, yaml)
            #expect(second.failed.isEmpty, "\(second.failed)")
            #expect(second.finished.map(\.job.description) == ["public.z"])
            #expect(try await fixture.rows(fixture.target, "select id from p order by 1") == ["1", "2", "3"])
            #expect(try await fixture.rows(fixture.target, "select id, a from z") == ["1|1"])
            #expect(
                try await fixture.rows(fixture.target, "select \"table\" from m order by 1")
                    == ["public.a", "public.p", "public.z"]
            )
            try await fixture.execute(fixture.target, "drop table m")
            try await fixture.expectEqualDefinitions()
        }
    }
    /// A run that has loaded everything, and ended when its foreign key was added and not validated.
    private func endedBeforeValidation(_ fixture: RunFixture, _ more: String = "") async throws -> String {
        try await fixture.execute(fixture.target, ManifestTable("m").definition)
        try await fixture.execute(
            fixture.source,
            """
            create table a (id int primary key); insert into a values (1), (2);
            create table b (a int constraint to_a references a); insert into b values (1), (2);
            create table c (id int); insert into c values (1);
            -- More than one connection creates in one transaction.
            do $$ begin for i in 1..60 loop execute 'create index on c ((id + ' || i || '))'; end loop; end $$;
            """
        )
        let tables = fixture.ddlYAML("[a, b, c]")
        try #require(try await fixture.backup(tables).failed.isEmpty)
        let yaml = fixture.ddlYAML("[a, b, c]", "manifest: m\(more)")
        try #require(try await restore(fixture, yaml).failed.isEmpty)
        try await fixture.execute(
            fixture.target,
            "alter table b drop constraint to_a, add constraint to_a foreign key (a) references a not valid"
        )
        return yaml
    }

    private static let validity = "select convalidated from pg_constraint where conname = 'to_a'"

    @Test("A foreign key that was added and not validated is validated", arguments: ["1", "3"], [false, true])
    func validation(jobs: String, isWhole: Bool) async throws {
        try await RunFixture.with { fixture in
            let yaml = try await endedBeforeValidation(fixture, ", jobs: \(jobs)")
            if isWhole { try await fixture.execute(fixture.target, "delete from m where \"table\" = 'public.c'") }
            let report = try await restore(fixture, yaml)
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(report.finished.map(\.job.name) == (isWhole ? ["public.c"] : []))
            #expect(try await fixture.rows(fixture.target, Self.validity) == ["t"])
        }
    }

    @Test("One that the rows violate is reported and removed, as if it had just been added", arguments: ["1", "3"])
    func violation(jobs: String) async throws {
        try await RunFixture.with { fixture in
            let yaml = try await endedBeforeValidation(fixture, ", jobs: \(jobs)")
            try await fixture.execute(
                fixture.target,
                "set session_replication_role = replica; delete from a where id = 2"
            )
            let report = try await restore(fixture, yaml)
            #expect(report.failed.map(\.job.description) == ["public.b"])
            #expect(report.failed.first?.description.contains("violates foreign key constraint \"to_a\"") == true)
            #expect(try await fixture.rows(fixture.target, Self.validity) == [])
        }
    }

    @Test("Where all is one transaction, one that the rows violate rolls everything back")
    func wholeViolation() async throws {
        try await RunFixture.with { fixture in
            let yaml = try await endedBeforeValidation(fixture)
            try await fixture.execute(
                fixture.target,
                """
                set session_replication_role = replica; delete from a where id = 2; update c set id = 9;
                delete from m where "table" = 'public.c'
                """
            )
            let error = await #expect(throws: DatabudgieError.self) { try await restore(fixture, yaml) }
            #expect(error?.description.contains("violates foreign key constraint \"to_a\"") == true)
            #expect(error?.effect == .rolledBack)
            #expect(try await fixture.rows(fixture.target, Self.validity) == ["f"])
            #expect(try await fixture.rows(fixture.target, "select id from c") == ["9"])
        }
    }

    private func prepared(_ fixture: RunFixture) async throws -> String {
        try await fixture.execute(fixture.target, ManifestTable("m").definition)
        try await fixture.execute(
            fixture.source,
            "create table a (id serial primary key); insert into a select from generate_series(1, 3); create table b (i int)"
        )
        _ = try await fixture.backup(fixture.ddlYAML("['public.*']"))
        let yaml = fixture.ddlYAML("['public.*']", "manifest: m")
        let report = try await restore(fixture, yaml)
        #expect(report.failed.isEmpty)
        return yaml
    }

    @Test("A table that is recorded and was dropped since is not re-created without its rows")
    func droppedSince() async throws {
        try await RunFixture.with { fixture in
            let yaml = try await prepared(fixture)
            try await fixture.execute(fixture.target, "drop table a")
            let error = await #expect(throws: DatabudgieError.self) { try await restore(fixture, yaml) }
            #expect(error?.code == .preflight)
            #expect(
                error?.problems.first?.description.contains("public.a: it is recorded as restored under this id")
                    == true
            )
            #expect(error?.effect == .nothingChanged)
            #expect(try await fixture.names(fixture.target) == ["b", "m", "m_id_seq"])
        }
    }

    @Test("The sequence of a table that was loaded before moves forward only")
    func sequences() async throws {
        try await RunFixture.with { fixture in
            let yaml = try await prepared(fixture)
            try await fixture.execute(fixture.target, "insert into a select from generate_series(1, 10)")
            _ = try await restore(fixture, yaml)
            #expect(try await fixture.rows(fixture.target, "select last_value from a_id_seq") == ["13"])
            try await fixture.execute(fixture.target, "select setval('a_id_seq', 1)")
            _ = try await restore(fixture, yaml)
            #expect(try await fixture.rows(fixture.target, "select last_value from a_id_seq") == ["3"])
        }
    }
}
