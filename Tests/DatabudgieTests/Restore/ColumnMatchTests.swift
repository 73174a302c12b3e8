import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Columns of files and tables")
struct ColumnMatchTests {
    private static let relation = Relation(
        oid: 1,
        name: QualifiedName(schema: "public", name: "t"),
        kind: .table,
        isPartition: false,
        parents: [],
        children: [],
        columns: [
            Column(name: "id", isNotNull: true, hasDefault: false, isGenerated: false),
            Column(name: "kind", isNotNull: true, hasDefault: true, isGenerated: false),
            Column(name: "note", isNotNull: false, hasDefault: false, isGenerated: false),
            Column(name: "total", isNotNull: false, hasDefault: true, isGenerated: true),
        ],
        estimatedRows: nil,
        sequences: [],
        isReadable: true
    )

    private func match(
        _ columns: [String],
        extra: ExtraColumns = .error,
        missing: MissingColumns? = nil,
        mode: LoadMode = .append
    ) -> (findings: [String], keeps: [Bool]) {
        let job = RestoreJob(
            id: JobID(.rows, of: "public.t", number: 0),
            relation: Self.relation,
            file: FileInfo(path: .local("x.csv"), size: 1, modified: Date(timeIntervalSince1970: 0), version: nil),
            truncate: .keep,
            mode: mode,
            extraColumns: extra,
            missingColumns: missing,
            isStrict: false
        )
        let match = ColumnMatch(header: CSVHeader(columns: columns, endsWithCarriageReturn: false), job: job)
        return (match.findings.map { "\($0.kind.rawValue): \($0.description)" }, match.keeps)
    }

    private static let all = ["id", "kind", "note"]

    @Test("A file with the columns of its table is loaded as it is, without those that the server generates")
    func equal() {
        #expect(match(Self.all).findings == [])
        let (findings, keeps) = match(["total"] + Self.all)
        #expect(
            findings == ["note: public.t: the values of \"total\" are skipped, because the server generates them"]
        )
        #expect(keeps == [false, true, true, true])
    }

    @Test("A column that the table lacks is a problem, or a warning that names it when it is to be ignored")
    func extra() {
        #expect(
            match(Self.all + ["x", "y"]).findings
                == ["x", "y"].map {
                    "problem: public.t: the column \"\($0)\" of x.csv does not exist in the table; add it to the table, export "
                        + "without it, or set 'extra_columns: ignore'"
                }
        )
        let one = match(["x"] + Self.all, extra: .ignore)
        #expect(
            one.findings == [
                "warning: public.t: the column \"x\" of x.csv does not exist in the table, and is not loaded"
            ]
        )
        #expect(one.keeps == [false, true, true, true])
        #expect(
            match(Self.all + ["x", "y"], extra: .ignore).findings == [
                "warning: public.t: the columns \"x\", \"y\" of x.csv do not exist in the table, and are not loaded"
            ]
        )
    }

    @Test("Names are compared by their bytes")
    func bytes() {
        #expect(match(Self.all + ["e\u{301}", "\u{E9}"], extra: .ignore).keeps == [true, true, true, false, false])
        #expect(match(["ID"] + Self.all, extra: .ignore).keeps == [false, true, true, true])
    }

    @Test("A column that the file lacks gets its default or null: with a warning, unless it is said to be meant")
    func missing() {
        #expect(
            match(["id"]).findings == [
                "warning: public.t: the columns \"kind\", \"note\" are not in x.csv: the rows get their defaults, or null; set "
                    + "'missing_columns: default' if that is meant, or 'missing_columns: error' to refuse it"
            ]
        )
        #expect(
            match(["id", "kind"], missing: .default).findings == [
                "note: public.t: the column \"note\" is not in x.csv: the rows get its default, or null"
            ]
        )
        #expect(
            match(["id", "kind"], missing: .error).findings == [
                "problem: public.t: the column \"note\" is not in x.csv; export the columns, or set 'missing_columns: default'"
            ]
        )
        #expect(
            match(["id", "kind"], mode: .upsert).findings.first?.contains("x.csv: new rows get its default") == true
        )
    }

    @Test(
        "A column that needs a value is a problem when it is missing, whatever is said",
        arguments: [nil, .error, .default] as [MissingColumns?]
    )
    func needed(missing: MissingColumns?) {
        #expect(
            match(["kind", "note"], missing: missing).findings == [
                "problem: public.t: x.csv has no column \"id\", which is NOT NULL and has no default; give it a default, or "
                    + "export it"
            ]
        )
    }

    @Test("A file of which nothing would be loaded is a problem")
    func nothing() {
        let unknown = match(["x"], extra: .ignore).findings
        #expect(unknown.contains("problem: public.t: no column of x.csv can be loaded into the table"))
        #expect(
            match(["total"]).findings.contains("problem: public.t: no column of x.csv can be loaded into the table")
        )
        #expect(
            match([]).findings.first?.contains("the first line of x.csv is empty, but the table has columns") == true
        )
    }
}
