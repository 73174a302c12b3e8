import Postgres

@testable import Databudgie

/// Builds catalogs and entries for tests of planning.
enum Fixture {
    static func relation(
        _ oid: UInt32,
        _ name: String,
        kind: Relation.Kind = .table,
        isPartition: Bool = false,
        parents: [UInt32] = [],
        children: [UInt32] = [],
        schema: String = "public"
    ) -> Relation {
        Relation(
            oid: oid,
            name: QualifiedName(schema: schema, name: name),
            kind: kind,
            isPartition: isPartition,
            parents: parents,
            children: children,
            columns: [Column(name: "id", isNotNull: true, hasDefault: false, isGenerated: false)],
            estimatedRows: 10,
            sequences: [],
            isReadable: true
        )
    }

    static func key(_ referencing: UInt32, _ referenced: UInt32, name: String = "fk") -> ForeignKey {
        ForeignKey(
            name: name,
            referencing: referencing,
            referenced: referenced,
            isDeferrable: false,
            isInherited: false
        )
    }

    static func catalog(_ relations: [Relation], keys: [ForeignKey] = []) -> DatabaseCatalog {
        DatabaseCatalog(defaultSchema: "public", relations: relations, foreignKeys: keys)
    }

    static func options(
        _ name: String?,
        location: String = "backups/{table}",
        filename: String = "{timestamp}.{ext}",
        exclude: [String] = [],
        hasExplicitLocation: Bool = false
    ) throws -> TableOptions {
        var options = TableOptions(
            name: name,
            location: try Template(location),
            filename: try Template(filename),
            exclude: exclude,
            place: "test.yml:1"
        )
        options.hasExplicitLocation = hasExplicitLocation
        return options
    }

    static func backup(_ options: TableOptions, query: String? = nil) throws -> BackupEntry {
        BackupEntry(options: options, query: try query.map { text in try Template(text) })
    }

    static func restore(_ options: TableOptions, truncate: TruncateMode = .keep) -> RestoreEntry {
        RestoreEntry(options: options, strategy: nil, truncate: truncate)
    }
}
