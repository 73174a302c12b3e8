/// What is wrong with a configuration, as one line that names the place and says what to do.
///
/// Several problems are reported together: the error is the first of them, and ``related`` holds the others.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of a problem; new kinds may be added, so that a `switch` over it needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The kind's name, as it stands in this type.
        public let description: String

        /// A file that was asked for cannot be read, or its format is unknown.
        public static let unreadableFile = Code(description: "unreadableFile")
        /// The text is no YAML, JSON or TOML, or names a key twice.
        public static let invalidSyntax = Code(description: "invalidSyntax")
        /// A key that means nothing where it stands.
        public static let unknownKey = Code(description: "unknownKey")
        /// A value of the wrong type.
        public static let wrongType = Code(description: "wrongType")
        /// A value of the right type that means nothing here, or contradicts another one.
        public static let invalidValue = Code(description: "invalidValue")
        /// An environment variable, a file or a secret that an interpolation asks for is missing.
        public static let missingValue = Code(description: "missingValue")
        /// A reference to a place that does not exist, or one that leads back to itself.
        public static let invalidReference = Code(description: "invalidReference")
        /// A template with an unknown variable or an unbalanced brace.
        public static let invalidTemplate = Code(description: "invalidTemplate")
        /// Command-line options that exclude each other.
        public static let conflictingOptions = Code(description: "conflictingOptions")
    }

    /// The kind of the problem.
    public let code: Code
    /// What is wrong and what to do, without the place.
    public let message: String
    /// Where it is: `databudgie.yml:12`, `--raw-config:1`, an environment variable or an option; nil when it is nowhere.
    public let place: String?
    /// The other problems of the same configuration, in the order of their discovery.
    public internal(set) var related: [ConfigurationError] = []

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: The kind of the problem.
    ///   - message: What is wrong and what to do; line breaks and control characters are replaced by spaces.
    ///   - place: Where it is, such as `databudgie.yml:12`.
    public init(_ code: Code, _ message: String, place: String? = nil) {
        self.code = code
        self.message = String(message.map { $0.isNewline || $0 == "\t" ? " " : $0 })
        self.place = place
    }

    init(_ code: Code, _ message: String, at place: SourcePlace?) {
        self.init(code, message, place: place?.description)
    }

    /// One line for each problem: `databudgie.yml:12: unknown key 'compresion' in a table entry; …`.
    public var lines: [String] {
        [place.map { "\($0): \(message)" } ?? message] + related.flatMap(\.lines)
    }

    /// All ``lines``, joined by line breaks.
    public var description: String { lines.joined(separator: "\n") }
}

extension [ConfigurationError] {
    /// All problems as one error, in which each is told once; nil when there is none.
    var combined: ConfigurationError? {
        var problems: [ConfigurationError] = []
        var told: Set<String> = []
        for problem in self where told.insert(problem.description).inserted {
            problems.append(problem)
        }
        guard var first = problems.first else { return nil }
        first.related += problems.dropFirst()
        return first
    }
}
