/// What is wrong with a configuration: all problems that were found, in the order of their discovery.
///
/// There is always at least one; ``code``, ``place``, ``message`` and ``hint`` are those of the first.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of a problem; new kinds may be added, so a `switch` over it needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The kind's name, as in this type.
        public let description: String

        /// A file cannot be read, or its format is unknown.
        public static let unreadableFile = Code(description: "unreadableFile")
        /// The text is not YAML, JSON or TOML, or names a key twice.
        public static let invalidSyntax = Code(description: "invalidSyntax")
        /// A key that has no meaning where it is.
        public static let unknownKey = Code(description: "unknownKey")
        /// A value of the wrong type.
        public static let wrongType = Code(description: "wrongType")
        /// A value of the right type that has no meaning here, or contradicts another one.
        public static let invalidValue = Code(description: "invalidValue")
        /// An environment variable, a file or a secret that an interpolation needs is missing.
        public static let missingValue = Code(description: "missingValue")
        /// A reference to a place that does not exist, or one that leads back to itself.
        public static let invalidReference = Code(description: "invalidReference")
        /// A template with an unknown variable or an unbalanced brace.
        public static let invalidTemplate = Code(description: "invalidTemplate")
        /// Command-line options that exclude each other.
        public static let conflictingOptions = Code(description: "conflictingOptions")
    }

    /// One thing that is wrong.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The kind of the problem.
        public let code: Code
        /// Where it is: `databudgie.yml:12`, `--raw-config:1`, an environment variable or an option; nil when it has no place.
        public let place: String?
        /// What is wrong, without the place: `unknown key 'compresion' in a table entry`; always one line.
        public let message: String
        /// What to do about it: `did you mean 'compression'?`; always one line, nil when there is nothing useful to say.
        public let hint: String?

        /// Describes a problem; line breaks and control characters of its texts become spaces, and what looks like a
        /// password in the message is hidden.
        ///
        /// - Parameters:
        ///   - code: The kind of the problem.
        ///   - message: What is wrong, in lower case and without a full stop.
        ///   - hint: What to do, in lower case and without a full stop.
        ///   - place: Where it is, such as `databudgie.yml:12`.
        public init(_ code: Code, _ message: String, hint: String? = nil, place: String? = nil) {
            self.code = code
            self.place = place.map { Self.oneLine($0).hidingPasswords }
            self.message = Self.oneLine(message).hidingPasswords
            self.hint = hint.map(Self.oneLine)
        }

        init(_ code: Code, _ message: String, hint: String? = nil, at place: SourcePlace?) {
            self.init(code, message, hint: hint, place: place?.description)
        }

        /// The message behind its place: `databudgie.yml:12: unknown key 'compresion' in a table entry`.
        public var messageWithPlace: String { place.map { "\($0): \(message)" } ?? message }

        /// All of it as one line: `databudgie.yml:12: unknown key 'compresion' in a table entry; did you mean …`.
        public var description: String { hint.map { "\(messageWithPlace); \($0)" } ?? messageWithPlace }

        private static func oneLine(_ text: String) -> String {
            var result = String.UnicodeScalarView()
            for scalar in text.unicodeScalars {
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: result.append(" ")
                default: result.append(scalar)
                }
            }
            return String(result)
        }
    }

    /// All problems, the first one included.
    public let problems: [Problem]
    /// What else was found before the configuration was refused; it may be the cause.
    public let warnings: [Finding]
    private let first: Problem

    /// Creates an error of one problem.
    ///
    /// - Parameters:
    ///   - code: The kind of the problem.
    ///   - message: What is wrong, in lower case and without a full stop.
    ///   - hint: What to do, in lower case and without a full stop.
    ///   - place: Where it is, such as `databudgie.yml:12`.
    public init(_ code: Code, _ message: String, hint: String? = nil, place: String? = nil) {
        self.init(Problem(code, message, hint: hint, place: place))
    }

    init(_ code: Code, _ message: String, hint: String? = nil, at place: SourcePlace?) {
        self.init(Problem(code, message, hint: hint, at: place))
    }

    init(_ problem: Problem) {
        first = problem
        problems = [problem]
        warnings = []
    }

    /// Creates an error of several problems, in which each is reported once; nil when there is none.
    init?(_ problems: [Problem], warnings: [Finding] = []) {
        guard let first = problems.first else { return nil }
        self.first = first
        self.warnings = warnings
        var known: Set<ByteKey> = []
        self.problems = problems.filter { known.insert(ByteKey($0.description)).inserted }
    }

    /// The kind of the first problem.
    public var code: Code { first.code }
    /// Where the first problem is.
    public var place: String? { first.place }
    /// What the first problem is, without its place.
    public var message: String { first.message }
    /// What to do about the first problem.
    public var hint: String? { first.hint }

    /// One line for each problem: `databudgie.yml:12: unknown key 'compresion' in a table entry; …`.
    public var lines: [String] { problems.map(\.description) }

    /// All ``lines``, joined by line breaks.
    public var description: String { lines.joined(separator: "\n") }
}

extension ConfigurationError: HintedError {}
