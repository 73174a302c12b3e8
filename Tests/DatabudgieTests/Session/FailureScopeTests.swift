import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Reach of failures")
struct FailureScopeTests {
    @Test(
        "A lost connection ends the run, every other failure its job alone",
        arguments: [
            (PostgresError(.connectionLost, "gone") as any Error, FailureScope.run),
            (PostgresError(.serverError, "no such table", sqlState: "42P01"), .job),
            (StorageError(.accessDenied, "no"), .job),
            (DatabudgieError(.dataFile, "damaged"), .job),
            (CancellationError(), .interruption),
        ]
    )
    func scopes(_ error: any Error, _ scope: FailureScope) {
        #expect(FailureScope(of: error) == scope)
    }

    @Test("In a task that was cancelled every error is the interruption")
    func cancelledTask() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            let scope = FailureScope(of: PostgresError(.connectionLost, "gone"))
            #expect(throws: CancellationError.self) {
                try rethrowUnlessJobFailed(PostgresError(.serverError, "cancelled", sqlState: "57014"))
            }
            return scope
        }
        #expect(await task.value == .interruption)
    }

    @Test("The error of a job alone is not thrown on, that of the run is")
    func rethrowing() throws {
        try rethrowUnlessJobFailed(PostgresError(.serverError, "no such table", sqlState: "42P01"))
        let error = #expect(throws: PostgresError.self) {
            try rethrowUnlessJobFailed(PostgresError(.connectionLost, "gone"))
        }
        #expect(error?.code == .connectionLost)
    }
}
