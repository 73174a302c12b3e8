/// What went wrong in a run, as a sentence that names the table, file or key and says what to do.
public struct DatabudgieError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more may come, so a `switch` needs a default.
    public struct Code: Sendable, Hashable {
        let name: String

        /// The configuration asks for something impossible or not supported: exit code 2.
        public static let configuration = Code(name: "configuration")
        /// Nothing in the database matches the configuration.
        public static let nothingToDo = Code(name: "nothingToDo")
        /// The target of a restore does not fit the files; nothing was touched.
        public static let preflight = Code(name: "preflight")
        /// The database refused or was lost.
        public static let database = Code(name: "database")
        /// The storage refused or was lost.
        public static let storage = Code(name: "storage")
        /// A data file cannot be used.
        public static let dataFile = Code(name: "dataFile")
        /// Rows that were sent and rows that arrived differ.
        public static let countMismatch = Code(name: "countMismatch")
        /// A defect of databudgie.
        public static let internalInconsistency = Code(name: "internalInconsistency")
    }

    /// The kind of failure.
    public let code: Code
    /// One line for each problem.
    public let messages: [String]
    /// The error of the layer below, when there was one.
    public let underlying: (any Error)?

    /// Makes an error of several problems.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - messages: Full sentences, one for each problem.
    ///   - underlying: The error of the layer below.
    public init(_ code: Code, _ messages: [String], underlying: (any Error)? = nil) {
        self.code = code
        self.messages = messages
        self.underlying = underlying
    }

    /// Makes an error of one problem.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: A full sentence.
    ///   - underlying: The error of the layer below.
    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.init(code, [message], underlying: underlying)
    }

    /// All messages, one a line.
    public var description: String { messages.joined(separator: "\n") }
}
