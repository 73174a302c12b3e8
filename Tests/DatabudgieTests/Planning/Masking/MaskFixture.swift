import Postgres

@testable import Databudgie

/// Builds catalogs of columns for tests of masks.
enum MaskFixture {
    static func type(
        _ name: String,
        _ kind: ColumnType.Kind = .base,
        modifier: Int = -1,
        labels: [String] = [],
        element: String? = nil,
        schema: String = "pg_catalog"
    ) -> ColumnType {
        var type = ColumnType(
            name: name,
            qualified: "\(schema).\(name)",
            kind: kind,
            modifier: modifier,
            labels: labels
        )
        type.element = element.map { ColumnType.Element(name: $0, qualified: "pg_catalog.\($0)", kind: .base) }
        return type
    }

    static func column(
        _ number: Int,
        _ name: String,
        _ type: ColumnType = type("text"),
        isNotNull: Bool = false,
        isGenerated: Bool = false,
        isIdentity: Bool = false,
        ownsSequence: Bool = false,
        isPartitionKey: Bool = false,
        comment: String? = nil
    ) -> ColumnFacts {
        ColumnFacts(
            number: number,
            name: name,
            type: type,
            isNotNull: isNotNull,
            isGenerated: isGenerated,
            isIdentity: isIdentity,
            ownsSequence: ownsSequence,
            isPartitionKey: isPartitionKey,
            domain: nil,
            comment: comment
        )
    }

    static func index(
        _ relation: UInt32,
        _ columns: [Int],
        name: String = "u",
        isPlain: Bool = true,
        isPrimary: Bool = false,
        nullsAreEqual: Bool = false
    ) -> UniqueIndex {
        UniqueIndex(
            name: name,
            relation: relation,
            columns: columns,
            isPlain: isPlain,
            isPrimary: isPrimary,
            nullsAreEqual: nullsAreEqual
        )
    }

    static func link(_ from: (UInt32, Int), _ to: (UInt32, Int), key: String? = "fk") -> ColumnLink {
        ColumnLink(
            from: ColumnCatalog.ID(relation: from.0, number: from.1),
            to: ColumnCatalog.ID(relation: to.0, number: to.1),
            key: key
        )
    }

    /// What checks find in all tables: `column code`.
    static func findings(
        _ relations: [Relation],
        _ columns: ColumnCatalog,
        _ rules: [(String, Mask)],
        keep: [String] = [],
        policy: MaskingConfiguration.Policy = .strict
    ) -> [MaskFinding] {
        let masking = MaskingConfiguration(columns: rules.map { .init($0.0, $0.1) }, keep: keep)
        var matcher = MaskRules(masking.rules)
        let masks = ColumnMasks(&matcher, Fixture.catalog(relations), columns)
        let checks = MaskChecks(masks, policy: policy)
        return checks.unusedRules + checks.findings(of: relations)
    }
}

extension MaskFinding {
    /// The column, without its schema, and the kind.
    var summary: String {
        let name = column.map { $0.hasPrefix("public.") ? String($0.dropFirst(7)) : $0 } ?? ""
        return "\(name) \(code.rawValue)\(isProblem ? "" : " (warning)")"
    }
}
