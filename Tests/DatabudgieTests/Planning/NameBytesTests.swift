import Postgres
import Testing

@testable import Databudgie

/// Swift compares strings by characters, the server by bytes: `é` composed and decomposed are two names.
@Suite("Names that only bytes tell apart")
struct NameBytesTests {
    static let composed = "caf\u{E9}"
    static let decomposed = "cafe\u{301}"

    private func catalog(
        schema: String = "public",
        column: String = composed,
        constraint: String = composed
    ) -> DatabaseCatalog {
        let table = Relation(
            oid: 1,
            name: QualifiedName(schema: "public", name: "t"),
            kind: .table,
            isPartition: false,
            parents: [],
            children: [],
            columns: [Column(name: column, isNotNull: false, hasDefault: false, isGenerated: false)],
            estimatedRows: nil,
            sequences: [],
            isReadable: true
        )
        let key = ForeignKey(
            name: constraint,
            referencing: 1,
            referenced: 1,
            isDeferrable: false,
            isInherited: false
        )
        return DatabaseCatalog(defaultSchema: schema, relations: [table], foreignKeys: [key])
    }

    @Test("A column, a constraint or a default schema in its other normal form makes another catalog")
    func catalogs() {
        #expect(catalog() == catalog())
        #expect(catalog() != catalog(column: Self.decomposed))
        #expect(catalog() != catalog(constraint: Self.decomposed))
        #expect(catalog(schema: Self.composed) != catalog(schema: Self.decomposed))
    }

    @Test("Columns, headers, matches, queries, definitions and findings in two normal forms differ")
    func values() {
        #expect(JobColumn(Self.composed) != JobColumn(Self.decomposed))
        #expect(Set([JobColumn(Self.composed), JobColumn(Self.decomposed), JobColumn(Self.composed)]).count == 2)
        #expect(
            CSVHeader(columns: [Self.composed], endsWithCarriageReturn: false)
                != CSVHeader(columns: [Self.decomposed], endsWithCarriageReturn: false)
        )
        #expect(TemplateMatch(values: [.table: Self.composed]) != TemplateMatch(values: [.table: Self.decomposed]))
        #expect(ExportQuery.custom(Self.composed) != .custom(Self.decomposed))
        #expect(definition(table: Self.composed) == definition(table: Self.composed))
        #expect(definition(table: Self.composed) != definition(table: Self.decomposed))
        #expect(definition(sql: Self.composed) != definition(sql: Self.decomposed))
        #expect(Finding(.note, "m", table: Self.composed) != Finding(.note, "m", table: Self.decomposed))
        #expect(Finding(.note, Self.composed) != Finding(.note, Self.decomposed))
    }

    private func definition(table: String = "t", sql: String = "") -> Definition {
        Definition(order: 0, section: .preData, type: "TABLE", schema: "s", table: table, sql: sql)
    }

    @Test("An exclusion in one normal form does not exclude the table in the other", arguments: [true, false])
    func exclusions(isBare: Bool) {
        let isExcluded = TableSelection.exclusion([isBare ? Self.composed : "public.\(Self.composed)"])
        #expect(isExcluded(QualifiedName(schema: "public", name: Self.composed)))
        #expect(!isExcluded(QualifiedName(schema: "public", name: Self.decomposed)))
    }

    @Test("A pattern finds the table in its own normal form alone")
    func patterns() {
        let relations = [(1, Self.composed), (2, Self.decomposed)].map { Fixture.relation($0, $1) }
        let selection = TableSelection(catalog: Fixture.catalog(relations))
        #expect(selection.match(Self.composed, excluding: []).relations.map(\.oid) == [1])
        #expect(selection.match("c*\(Self.decomposed.dropFirst())", excluding: []).relations.map(\.oid) == [2])
    }

    @Test("A report lists definitions in the order of bytes")
    func order() {
        let report = RunResults(definitions: ["f", Self.composed, "e\u{301}"])
            .report(.backup, isDryRun: false, duration: .zero)
        #expect(report.definitions.map { Array($0.utf8) } == [Self.composed, "e\u{301}", "f"].map { Array($0.utf8) })
    }
}
