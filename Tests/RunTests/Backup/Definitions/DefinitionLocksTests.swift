import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Tables that pg_dump cannot lock")
struct DefinitionLocksTests {
    @Test(
        "A check and a backup name a table that definitions need and that the role cannot read, and say what to grant"
    )
    func partition() async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.execute(
                fixture.source,
                """
                create table part (id int, v text) partition by range (id);
                create table part1 partition of part for values from (0) to (9); create table other (id int);
                grant select on part1, other to \(role)
                """
            )
            let limited = fixture.connected(as: role)
            let yaml = limited.ddlYAML("[part1, other]")
            let findings = try await ConfigurationCheck(limited.configuration(yaml), for: .backup).run()
            let problems = findings.filter { $0.outcome == .problem }
            #expect(problems.map(\.name) == ["public.part"], "\(findings.map(\.sentence))")
            #expect(
                problems.first?.message.hasPrefix("definitions of the backup need it, and the role lacks SELECT")
                    == true
            )
            #expect(problems.first?.hint?.hasPrefix("grant it, or set 'ddl: false'") == true)
            let error = await #expect(throws: DatabudgieError.self) { try await limited.backup(yaml) }
            let message = error?.problems.first
            #expect(message?.message.hasPrefix("pg_dump could not read the definitions: ") == true, "\(message as Any)")
            #expect(message?.message.contains("pg_dump: ") == false && message?.message.contains("part") == true)
            #expect(message?.hint?.hasPrefix("grant it to the role") == true)
            let others = try await ConfigurationCheck(limited.configuration(limited.ddlYAML("[other]")), for: .backup)
                .run()
            #expect(others.allSatisfy { $0.outcome != .problem }, "\(others.map(\.sentence))")
        }
    }
}
