import Postgres
import Storage

/// What went wrong in a run: one or more problems, each with what to do about it.
public struct DatabudgieError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more may be added, so a `switch` needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The kind's name, as in this type.
        public let description: String

        /// The configuration asks for something impossible or not supported: exit code 2.
        public static let configuration = Code(description: "configuration")
        /// Nothing in the database matches the configuration.
        public static let nothingToDo = Code(description: "nothingToDo")
        /// The target of a restore does not fit the files.
        public static let preflight = Code(description: "preflight")
        /// The database refused or was lost.
        public static let database = Code(description: "database")
        /// The storage refused or was lost.
        public static let storage = Code(description: "storage")
        /// A data file cannot be used.
        public static let dataFile = Code(description: "dataFile")
        /// Rows that were sent and rows that arrived differ.
        public static let countMismatch = Code(description: "countMismatch")
        /// A defect of databudgie.
        public static let internalInconsistency = Code(description: "internalInconsistency")
    }

    /// The kind of failure.
    public let code: Code
    /// All problems, at least one.
    public let problems: [Finding]
    /// The error of the layer below, when there was one.
    public let underlying: (any Error)?
    /// Warnings that were found before, which often are the cause; a run reports them before it throws the error.
    public internal(set) var warnings: [Finding] = []
    /// What became of the target; nil when that is not known, or when the run had nothing to change.
    public internal(set) var effect: RunEffect?

    /// Describes several problems.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - problems: All problems, at least one.
    ///   - underlying: The error of the layer below.
    public init(_ code: Code, _ problems: [Finding], underlying: (any Error)? = nil) {
        self.code = code
        self.problems = problems
        self.underlying = underlying
    }

    /// Describes one problem.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: What happened, without a full stop.
    ///   - table: The table that it concerns, `schema.name`.
    ///   - hint: What to do about it, in the imperative and without a full stop.
    ///   - underlying: The error of the layer below.
    public init(
        _ code: Code,
        _ message: String,
        table: String? = nil,
        hint: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.init(code, [Finding(.problem, message, table: table, hint: hint)], underlying: underlying)
    }

    /// What happened, one line for each problem.
    public var message: String { problems.map(\.sentence).joined(separator: "\n") }

    /// What to do about it, when the error is one problem.
    public var hint: String? { problems.count == 1 ? problems[0].hint : nil }

    /// Problems with their hints, one a line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension DatabudgieError {
    /// Runs the body, and adds to its error what became of the target.
    ///
    /// - Parameters:
    ///   - effect: What is true of the target whenever the body throws, unless it is not known what has become of a commit; nil
    ///     adds nothing.
    ///   - body: Part of a run.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError`` with the effect for errors of ours, of the database and of the storage; others, such as a
    ///   cancellation, as they are.
    nonisolated(nonsending) static func withEffect<Result>(
        _ effect: RunEffect?,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            guard let effect, let code = code(of: error) else { throw error }
            let text = ErrorText(error)
            var error =
                error as? DatabudgieError
                ?? DatabudgieError(code, text.message, hint: text.hint, underlying: error)
            let isUnknown = (error.underlying as? PostgresError)?.isCommitUnknown == true
            error.effect = error.effect ?? (isUnknown ? .unknown : effect)
            throw error
        }
    }

    private static func code(of error: any Error) -> Code? {
        switch error {
        case let error as DatabudgieError: error.code
        // A cancelled statement is reported as the task's cancellation.
        case let error as PostgresError: error.code == .cancelled ? nil : .database
        case is StorageError: .storage
        default: nil
        }
    }
}
