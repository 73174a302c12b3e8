/// One definition in an archive of pg_dump, with what its table of contents says about it.
struct ArchiveEntry: Sendable, Equatable {
    /// The number that other entries refer to it by.
    let identifier: Int
    /// The catalog that it is in (`pg_class` is 1259), and its OID there; 0 for what has no row of its own.
    let catalog: UInt32
    let oid: UInt32
    /// What has to exist before it.
    let dependencies: [Int]
    /// As in `TABLE`, `INDEX`, `FK CONSTRAINT`.
    let type: String
    let name: String
    /// Empty for what is in no schema.
    var schema: String
    let section: Definition.Section
    /// The statements.
    var sql: String
    /// The statement that sets the owner.
    let ownerSQL: String?

    static let relations: UInt32 = 1259

    /// Whether it attaches another entry to something: it has the name of the partition, or of the partition's index.
    ///
    /// - Parameters:
    ///   - other: A table, an index, or a constraint.
    ///   - table: The name of the other's table.
    /// - Returns: False when it is no `ATTACH`.
    func attaches(_ other: ArchiveEntry, of table: String) -> Bool {
        guard ["TABLE ATTACH", "INDEX ATTACH"].contains(type), schema.hasBytes(of: other.schema) else { return false }
        return name.hasBytes(of: other.name) || "\(table) \(name)".hasBytes(of: other.name)
    }

    /// Whether it is a comment on the schema `public`, or its privileges.
    var isAboutPublicSchema: Bool {
        oid == 0 && schema.isEmpty && ["COMMENT", "ACL"].contains(type) && name.hasBytes(of: "SCHEMA public")
    }
}
