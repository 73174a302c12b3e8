import Postgres
import Testing

@testable import Databudgie

@Suite("Attempts to lock")
struct LockAttemptsTests {
    private func error(_ sqlState: String) -> PostgresError {
        PostgresError(.serverError, "refused", sqlState: sqlState)
    }

    @Test(
        "A timeout and a deadlock are tried again, as often as is allowed; other errors are not",
        arguments: [
            ("55P03", 3), ("40P01", 3), ("42501", 1),
        ]
    )
    func attempts(_ sqlState: String, _ expected: Int) async throws {
        var count = 0
        await #expect(throws: error(sqlState)) {
            try await LockAttempts().retrying {
                count += 1
                throw error(sqlState)
            }
        }
        #expect(count == expected)
        count = 0
        let result = try? await LockAttempts().retrying {
            count += 1
            if count == 1 { throw error(sqlState) }
            return count
        }
        #expect(result == (expected > 1 ? 2 : nil))
    }

    @Test("Who tries again is asked before each attempt but the first, with its number")
    func question() async throws {
        var asked: [Int] = []
        await #expect(throws: error("40P01")) {
            try await LockAttempts(count: 4).retrying { _, attempt in
                asked.append(attempt)
                return attempt < 3
            } _: {
                throw error("40P01")
            }
        }
        #expect(asked == [2, 3])
    }

    @Test("A conflict is found within the error of a file, and the message says what was tried")
    func wording() {
        let wrapped = DatabudgieError(.database, "t.csv: refused", underlying: error("40P01"))
        #expect(LockConflict(of: wrapped) == .deadlock)
        #expect(LockConflict(of: DatabudgieError(.database, "a table", underlying: wrapped)) == .deadlock)
        #expect(LockConflict(of: DatabudgieError(.database, "refused")) == nil)
        let attempts = LockAttempts(timeout: .seconds(10), count: 3)
        let failures = [LockConflict.timeout, .deadlock].map {
            attempts.failure(toLock: ["a", "b"], $0, run: "backup", underlying: wrapped).message
        }
        #expect(
            failures == [
                "could not lock one of the tables a, b (3 attempts of 10 s): another session holds a conflicting lock",
                "could not lock one of the tables a, b (3 attempts): each ended in a deadlock with another session",
            ]
        )
    }
}
