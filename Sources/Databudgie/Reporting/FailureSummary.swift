import Postgres
import Storage

/// What can be shared about an error: its kind and its SQLSTATE, and nothing of its message.
///
/// Messages of the server can contain values of rows (`invalid input syntax for type integer: "…"`, `Key (email)=(…) already
/// exists`, anything that a trigger raises), those of a configuration error secrets, those of a preflight the first line of
/// a file. No rule could separate the harmless ones, so all of them stay on this machine.
struct FailureSummary: Sendable, Equatable {
    /// The error's type, such as `PostgresError`.
    let type: String
    /// The kind of failure, such as `connectionLost`; nil when the type has no kinds.
    let code: String?
    /// The five characters of the SQLSTATE (Postgres documentation, appendix A), when the server reported the error.
    let sqlState: String?
    /// The kind of failure in words, of the layer below if there was one, which says more; nil for unknown types.
    private let words: String?

    /// What stands for a table that failed because another one did.
    static let consequence = FailureSummary(type: "DatabudgieError", code: "consequence")

    private init(type: String, code: String?, sqlState: String? = nil, words: String? = nil) {
        self.type = type
        self.code = code
        self.sqlState = sqlState
        self.words = words
    }

    init(_ error: any Error) {
        switch error {
        case let error as DatabudgieError:
            let below = error.underlying.map { FailureSummary($0) }
            self.init(
                type: "DatabudgieError",
                code: error.code.description,
                sqlState: below?.sqlState,
                words: below?.words ?? FailureWords.ours[error.code]
            )
        case let error as PostgresError:
            self.init(
                type: "PostgresError",
                code: error.code.description,
                sqlState: Self.sqlState(of: error),
                words: FailureWords.database[error.code]
            )
        case let error as StorageError:
            self.init(
                type: "StorageError",
                code: error.code.description,
                words: FailureWords.storage[error.code.description]
            )
        case is ConfigurationError:
            self.init(type: "ConfigurationError", code: nil, words: FailureWords.ours[.configuration])
        default:
            self.init(type: "\(Swift.type(of: error))", code: nil)
        }
    }

    /// One sentence without a full stop: what the error is.
    var sentence: String {
        switch (sqlState, code) {
        case (let sqlState?, _):
            let name = FailureWords.sqlState(sqlState)
            return "the server reported SQLSTATE \(sqlState)" + (name.map { " (\($0))" } ?? "")
        case (nil, "consequence"): return "another table failed"
        case (nil, let code): return words ?? "an error of the type \(type)" + (code.map { ", \($0)" } ?? "")
        }
    }

    private static func sqlState(of error: PostgresError) -> String? {
        // A function can raise any five characters as SQLSTATE, but nothing except digits and capital letters.
        error.sqlState.flatMap { state in
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
            let isCode =
                state.utf8.count == 5
                && state.utf8.allSatisfy { digits.contains($0) || capitals.contains($0) }
            return isCode ? state : nil
        }
    }
}
