import FoundationEssentials
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Summaries of errors")
struct FailureSummaryTests {
    /// An error of the server in which every text holds a value.
    static let server: PostgresError = {
        var error = PostgresError(.serverError, "invalid input: \"rowvalue\"", sqlState: "23505")
        error.detail = "Key (email)=(rowvalue) already exists."
        error.hint = "rowvalue"
        error.context = "COPY t, line 1, column a: \"rowvalue\""
        error.schemaName = "rowvalue"
        error.tableName = "rowvalue"
        error.columnName = "rowvalue"
        error.dataTypeName = "rowvalue"
        error.constraintName = "rowvalue"
        return error
    }()

    private struct Other: Error, CustomStringConvertible {
        let description = "rowvalue"
    }

    @Test(
        "An error is summarized by its kind and its SQLSTATE, and never by its words",
        arguments: [
            (server as any Error, "the server reported SQLSTATE 23505 (integrity constraint violation)"),
            (
                DatabudgieError(.database, "f.csv: rowvalue", underlying: server),
                "the server reported SQLSTATE 23505 (integrity constraint violation)"
            ),
            (PostgresError(.connectionLost, "rowvalue"), "PostgresError of the kind connectionLost"),
            (PostgresError(.serverError, "rowvalue", sqlState: "row v"), "PostgresError of the kind serverError"),
            (PostgresError(.serverError, "rowvalue", sqlState: "ZZ001"), "the server reported SQLSTATE ZZ001"),
            (DatabudgieError(.preflight, "rowvalue", hint: "rowvalue"), "DatabudgieError of the kind preflight"),
            (StorageError(.accessDenied, "rowvalue"), "StorageError of the kind accessDenied"),
            (Other(), "Other"),
        ]
    )
    func sentences(error: any Error, sentence: String) throws {
        let failure = FailureSummary(error)
        #expect(failure.sentence == sentence)
        #expect(!"\(failure)".contains("rowvalue"))
    }

    @Test("The summary travels in an event that keeps Sentry's limits")
    func event() throws {
        let table = "public.line\nbreak" + String(repeating: "x", count: 300)
        let event = SentryEvent(
            FailureSummary(Self.server),
            kind: .restore,
            table: table,
            at: .distantPast,
            release: "a/b\\c\n" + String(repeating: "r", count: 300),
            environment: "my team/live"
        )
        #expect(event.tags["table"]?.hasPrefix("public.line breakxxx") == true)
        #expect(event.tags["table"]?.count == 200)
        #expect(event.release.hasPrefix("a-b-c-rrr") && event.release.count == 200)
        #expect(event.environment == "my-team-live")
        #expect(event.level == .error)
        #expect(event.exception.values.first?.value.contains("\n") == false)
    }
}
