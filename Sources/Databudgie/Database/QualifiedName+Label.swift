import Postgres

extension QualifiedName {
    /// The name under which a table is reported and recorded: `schema.name`.
    ///
    /// It has quotes only when a dot inside a part would make two tables look the same: `"a.b".c`.
    var label: String {
        let parts = [schema, name]
        guard parts.contains(where: { $0.utf8.contains(UInt8(ascii: ".")) }) else { return description }
        return parts.map { $0.utf8.contains(UInt8(ascii: ".")) ? quotedIdentifier($0) : $0 }.joined(separator: ".")
    }
}
