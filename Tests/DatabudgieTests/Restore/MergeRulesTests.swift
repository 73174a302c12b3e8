import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Keys by which rows are recognized")
struct MergeRulesTests {
    private static func relation(_ kind: Relation.Kind = .table) -> Relation {
        Relation(
            oid: 1,
            name: QualifiedName(schema: "public", name: "t"),
            kind: kind,
            isPartition: false,
            parents: [],
            children: [],
            columns: [
                Column(name: "id", isNotNull: true, hasDefault: false, isGenerated: false),
                Column(name: "code", isNotNull: false, hasDefault: false, isGenerated: false),
                Column(name: "number", isNotNull: false, hasDefault: true, isGenerated: false, isAlwaysIdentity: true),
                Column(name: "total", isNotNull: false, hasDefault: false, isGenerated: true),
            ],
            estimatedRows: nil,
            sequences: [],
            isReadable: true
        )
    }

    private static func key(
        _ columns: [String],
        isPrimary: Bool = false,
        isImmediate: Bool = true,
        isPlain: Bool = true
    ) -> UniqueKey {
        UniqueKey(
            name: columns.joined(separator: "_") + "_key",
            isPrimary: isPrimary,
            isImmediate: isImmediate,
            isPlain: isPlain,
            areNullsDistinct: true,
            members: isPlain
                ? columns.map { .init(key: ByteKey($0), isNotNull: $0 == "id", equality: "operator(pg_catalog.=)") }
                : []
        )
    }

    private static let primary = key(["id"], isPrimary: true)

    private func rules(
        _ mode: LoadMode,
        _ keys: [UniqueKey],
        columns: [String] = ["id", "code"],
        conflict: [String] = [],
        kind: Relation.Kind = .table,
        privileges: (select: Bool, update: Bool, temporary: Bool) = (true, true, true),
        rules: [String] = []
    ) -> MergeRules {
        let job = RestoreJob(
            id: JobID(.rows, of: "public.t", number: 0),
            relation: Self.relation(kind),
            file: FileInfo(path: .local("x.csv"), size: 1, modified: Date(timeIntervalSince1970: 0), version: nil),
            truncate: .keep,
            mode: mode,
            conflictColumns: conflict,
            isStrict: false
        )
        let target = MergeTarget(
            canSelect: privileges.select,
            canUpdate: privileges.update,
            canStage: privileges.temporary,
            rules: rules,
            uniqueKeys: keys
        )
        return MergeRules(job, columns: columns, target)
    }

    private func problems(_ rules: MergeRules) -> [String] { rules.findings.problems.map(\.description) }

    @Test("Rows are updated by the primary key, or by the columns that are named, in any order")
    func choice() {
        let keys = [Self.primary, Self.key(["code", "id"])]
        #expect(rules(.upsert, keys).merge?.key == Self.primary)
        #expect(
            rules(.upsert, keys).findings.map(\.description) == ["public.t: rows whose key (id) is there are updated"]
        )
        #expect(rules(.upsert, keys, conflict: ["id", "code"]).merge?.key == keys[1])
        #expect(rules(.skipExisting, keys).merge.map { $0.key == nil } == true)
        #expect(rules(.skipExisting, keys, conflict: ["id"]).merge?.key == Self.primary)
        #expect(rules(.append, []).findings.isEmpty)
        #expect(rules(.append, []).merge == nil)
    }

    @Test("A key that cannot be used is refused, with those that can")
    func unusable() {
        let keys = [Self.primary, Self.key(["code"]), Self.key(["total"], isPlain: false)]
        #expect(
            problems(rules(.upsert, keys, conflict: ["code", "id"])) == [
                "public.t: it has no unique key of exactly the columns (code, id) over all rows; its unique keys are (id), "
                    + "(code); name one of them in 'conflict_columns'"
            ]
        )
        #expect(
            problems(rules(.upsert, [Self.key(["code"])])) == [
                "public.t: it has no primary key, so 'mode: upsert' cannot recognize rows by it; its unique key is (code); "
                    + "name one of them in 'conflict_columns'"
            ]
        )
        #expect(
            problems(rules(.upsert, [])) == [
                "public.t: it has no primary key, so 'mode: upsert' cannot recognize rows by it; it has no other unique key; "
                    + "create a unique index, or use 'mode: append' or 'mode: replace'"
            ]
        )
        let temporal = Self.key(["id", "valid"], isPrimary: true, isPlain: false)
        #expect(
            problems(rules(.upsert, [temporal])).first?.hasPrefix(
                "public.t: its primary key is one WITHOUT OVERLAPS, so "
            )
                == true
        )
        let deferrable = Self.key(["id"], isPrimary: true, isImmediate: false)
        #expect(
            problems(rules(.upsert, [deferrable])).first?.hasPrefix("public.t: its primary key is deferrable, so ")
                == true
        )
        #expect(
            problems(rules(.upsert, [deferrable, Self.key(["code"])], conflict: ["id"])) == [
                "public.t: its unique key (id) is deferrable, so 'mode: upsert' cannot recognize rows by it; its unique key is "
                    + "(code); name one of them in 'conflict_columns'"
            ]
        )
        #expect(
            problems(rules(.skipExisting, [deferrable])).first?.hasPrefix(
                "public.t: its key id_key is deferrable, so 'mode: skip_existing' cannot recognize rows by any key"
            ) == true
        )
        #expect(
            problems(rules(.skipExisting, [])).first?.hasPrefix("public.t: it has no unique key by which ") == true
        )
        // An index over an expression is a key that rows can violate, too.
        #expect(problems(rules(.skipExisting, [Self.key(["code"], isPlain: false)])) == [])
    }

    @Test("A file without a column of the key is refused, unless the server generates the column")
    func missingColumn() {
        #expect(
            problems(rules(.upsert, [Self.primary], columns: ["code"])) == [
                "public.t: x.csv has no column \"id\", which is in the key (id); export it, or name another key in "
                    + "'conflict_columns'"
            ]
        )
        #expect(problems(rules(.upsert, [Self.key(["total"])], conflict: ["total"])) == [])
    }

    @Test(
        "What has no key that rows could be recognized by is refused",
        arguments: [Relation.Kind.view, .foreignTable]
    )
    func kinds(kind: Relation.Kind) {
        #expect(
            problems(rules(.upsert, [], kind: kind)) == [
                "public.t: it is a \(kind.noun), whose rows cannot be recognized by a key; use 'mode: append'"
            ]
        )
    }

    @Test("Rules and missing privileges are named")
    func obstacles() {
        #expect(
            problems(rules(.upsert, [Self.primary], privileges: (false, false, false), rules: ["r", "s"])) == [
                "public.t: the role lacks SELECT and UPDATE on the table, which 'mode: upsert' needs; grant them",
                "public.t: the role lacks TEMPORARY on the database, which 'mode: upsert' needs for its staging table; grant it",
                "public.t: it has rules (r, s), with which the server does not merge rows; drop them, or use another mode "
                    + "than 'mode: upsert'",
            ]
        )
        #expect(problems(rules(.skipExisting, [Self.primary], privileges: (true, false, true))) == [])
    }

    @Test("Neither the key nor what the server refuses to update is set in a row that is there")
    func updated() {
        let upsert = rules(.upsert, [Self.primary], columns: ["number", "id", "code"])
        #expect(upsert.merge?.updated == ["code"])
        #expect(
            upsert.findings.filter { $0.kind == .warning }.map(\.message) == [
                "rows that are updated keep their values of \"number\", GENERATED ALWAYS AS IDENTITY, which the server does not "
                    + "update"
            ]
        )
        let byNumber = rules(.upsert, [Self.key(["number"])], columns: ["number", "id"], conflict: ["number"])
        #expect(byNumber.findings.filter { $0.kind == .warning }.isEmpty)
    }

    @Test("A table whose columns are all in the key gets new rows only")
    func onlyKey() {
        let merge = rules(.upsert, [Self.primary], columns: ["id"]).merge
        #expect(merge?.statement(from: "staging").contains("on conflict (\"id\") do nothing") == true)
    }
}
