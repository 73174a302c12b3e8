/// The name of a table, view or sequence with its schema, both as the catalog has them.
public struct QualifiedName: Sendable, Hashable {
    /// The schema's name, without quotes.
    public var schema: String
    /// The name within the schema, without quotes.
    public var name: String

    /// Creates a name from its parts.
    ///
    /// - Parameters:
    ///   - schema: The schema's name, without quotes.
    ///   - name: The name within the schema, without quotes.
    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    /// The name for SQL, `"schema"."name"`.
    public var quoted: String {
        quotedIdentifier(schema) + "." + quotedIdentifier(name)
    }
}

extension QualifiedName: CustomStringConvertible {
    /// The name for people and for globs, `schema.name`.
    public var description: String {
        "\(schema).\(name)"
    }
}

extension QualifiedName {
    /// Whether two names are the same to the server, which compares bytes.
    ///
    /// Swift's strings are equal if their characters are, however they are composed, but two tables may be named `é`.
    public static func == (left: QualifiedName, right: QualifiedName) -> Bool {
        left.schema.utf8.elementsEqual(right.schema.utf8) && left.name.utf8.elementsEqual(right.name.utf8)
    }

    /// Feeds the bytes of both parts to a hasher.
    public func hash(into hasher: inout Hasher) {
        for part in [schema, name] {
            hasher.combine(part.utf8.count)
            part.utf8.forEach { hasher.combine($0) }
        }
    }
}

extension QualifiedName: Comparable {
    /// Orders by the bytes of the schema, then by those of the name.
    public static func < (left: QualifiedName, right: QualifiedName) -> Bool {
        left.schema.utf8.elementsEqual(right.schema.utf8)
            ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
            : left.schema.utf8.lexicographicallyPrecedes(right.schema.utf8)
    }
}
