/// A value without parts.
struct SourceScalar: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case null, bool, number, string
        /// The value of an environment variable, which can be read as anything.
        case untyped

        var noun: String {
            switch self {
            case .null: "null"
            case .bool: "true or false"
            case .number: "a number"
            case .string, .untyped: "a string"
            }
        }
    }

    var kind: Kind
    /// The value as it was written, without quotes; `true` or `false` for a boolean.
    var text: String

    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}
