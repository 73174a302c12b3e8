/// The name of a table, view or sequence together with its schema, both as the catalog has them.
public struct QualifiedName: Sendable, Hashable {
    /// The schema's name, without quotes.
    public var schema: String
    /// The name inside the schema, without quotes.
    public var name: String

    /// Creates a name from its parts.
    ///
    /// - Parameters:
    ///   - schema: The schema's name, without quotes.
    ///   - name: The name inside the schema, without quotes.
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

extension QualifiedName: Comparable {
    /// Orders by schema, then by name.
    public static func < (left: QualifiedName, right: QualifiedName) -> Bool {
        (left.schema, left.name) < (right.schema, right.name)
    }
}
