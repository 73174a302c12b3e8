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
            (server as any Error, "the server reported SQLSTATE 23505 (unique violation)"),
            (
                DatabudgieError(.database, "f.csv: rowvalue", underlying: server),
                "the server reported SQLSTATE 23505 (unique violation)"
            ),
            (PostgresError(.connectionLost, "rowvalue"), "the connection to the database was lost"),
            (PostgresError(.serverError, "rowvalue", sqlState: "row v"), "the database refused a statement"),
            (PostgresError(.serverError, "rowvalue", sqlState: "ZZ001"), "the server reported SQLSTATE ZZ001"),
            (DatabudgieError(.preflight, "rowvalue", hint: "rowvalue"), "the target does not fit the files"),
            (StorageError(.accessDenied, "rowvalue"), "the storage denied access"),
            (
                DatabudgieError(.database, "rowvalue", underlying: PostgresError(.connectionFailed, "rowvalue")),
                "the database could not be reached"
            ),
            (
                PostgresError(.serverError, "rowvalue", sqlState: "42501"),
                "the server reported SQLSTATE 42501 (insufficient privilege)"
            ),
            (
                PostgresError(.serverError, "rowvalue", sqlState: "42999"),
                "the server reported SQLSTATE 42999 (syntax error or access rule violation)"
            ),
            (Other(), "an error of the type Other"),
        ]
    )
    func sentences(error: any Error, sentence: String) throws {
        let failure = FailureSummary(error)
        #expect(failure.sentence == sentence)
        #expect(!"\(failure)".contains("rowvalue"))
    }

    @Test("Every kind of failure of the database and of the storage has words")
    func words() {
        let database: [PostgresError.Code] = [
            .connectionFailed, .authenticationFailed, .connectionLost, .serverError, .cancelled, .transactionAborted,
            .connectionUnavailable, .protocolViolation, .invalidParameters,
        ]
        let storage: [StorageError.Code] = [
            .notFound, .alreadyExists, .noSuchBucket, .invalidPath, .accessDenied, .archived, .locked, .noCredentials,
            .wrongCredentials, .expiredCredentials, .invalidConfiguration, .clockSkew, .outOfSpace, .notWritable,
            .inputOutput, .unsafeLink, .changedWhileReading, .truncated, .corrupted, .conflict, .timedOut,
            .unavailable, .untrustedServer, .rejected, .unexpectedReply,
        ]
        let errors: [any Error] = database.map { PostgresError($0, "") } + storage.map { StorageError($0, "") }
        for error in errors {
            let sentence = FailureSummary(error).sentence
            #expect(!sentence.hasPrefix("an error of the type "), "\(sentence)")
        }
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
