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

    /// What stands for a table that failed because another one did.
    static let consequence = FailureSummary(type: "DatabudgieError", code: "consequence", sqlState: nil)

    private init(type: String, code: String?, sqlState: String?) {
        self.type = type
        self.code = code
        self.sqlState = sqlState
    }

    init(_ error: any Error) {
        switch error {
        case let error as DatabudgieError:
            self.init(type: "DatabudgieError", code: error.code.description, sqlState: Self.sqlState(of: error))
        case let error as PostgresError:
            self.init(type: "PostgresError", code: error.code.description, sqlState: Self.sqlState(of: error))
        case let error as StorageError:
            self.init(type: "StorageError", code: error.code.description, sqlState: nil)
        default:
            self.init(type: "\(Swift.type(of: error))", code: nil, sqlState: nil)
        }
    }

    /// One sentence without a full stop: what the error is.
    var sentence: String {
        switch (sqlState, code) {
        case (let sqlState?, _):
            let name = Self.classNames[String(sqlState.prefix(2))]
            return "the server reported SQLSTATE \(sqlState)" + (name.map { " (\($0))" } ?? "")
        case (nil, "consequence"): return "another table failed"
        case (nil, let code?): return "\(type) of the kind \(code)"
        case (nil, nil): return "\(type)"
        }
    }

    private static func sqlState(of error: any Error) -> String? {
        switch error {
        case let error as DatabudgieError: error.underlying.flatMap(sqlState)
        // A function can raise any five characters as SQLSTATE, but nothing except digits and capital letters.
        case let error as PostgresError:
            error.sqlState.flatMap { state in
                let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
                let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
                let isCode =
                    state.utf8.count == 5
                    && state.utf8.allSatisfy { digits.contains($0) || capitals.contains($0) }
                return isCode ? state : nil
            }
        default: nil
        }
    }

    /// The classes of SQLSTATE that a run can meet (Postgres documentation, appendix A).
    private static let classNames = [
        "08": "connection exception", "0A": "feature not supported", "21": "cardinality violation",
        "22": "data exception", "23": "integrity constraint violation", "25": "invalid transaction state",
        "27": "triggered data change violation", "28": "invalid authorization", "2B": "dependent objects still exist",
        "3D": "no such database", "3F": "no such schema", "40": "transaction rollback",
        "42": "syntax error or access rule violation", "44": "check option violation", "53": "insufficient resources",
        "54": "program limit exceeded", "55": "object not in prerequisite state", "57": "operator intervention",
        "58": "system error", "72": "snapshot too old", "P0": "PL/pgSQL error", "XX": "internal error of the server",
    ]
}
