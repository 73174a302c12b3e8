import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Merges of random files into random tables")
struct MergePropertyTests {
    /// A row by its columns; nil is null.
    private typealias Row = [String?]

    /// A table with rows, and a file with rows for it.
    private struct Sample {
        /// The key's columns come first.
        let keyCount: Int
        let columnCount: Int
        let isPartitioned: Bool
        let table: [Row]
        let file: [Row]
        let mode: LoadMode

        init(_ random: inout SeededGenerator) {
            keyCount = Int.random(in: 1...3, using: &random)
            columnCount = keyCount + Int.random(in: 0...3, using: &random)
            isPartitioned = Bool.random(using: &random)
            mode = Bool.random(using: &random) ? .upsert : .skipExisting
            let (keyCount, columnCount) = (keyCount, columnCount)
            func rows(_ random: inout SeededGenerator) -> [Row] {
                var seen: Set<[String]> = []
                return (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in
                    let key = (0..<keyCount).map { _ in ["1", "2", "3"].randomElement(using: &random) ?? "" }
                    guard seen.insert(key).inserted else { return nil }
                    let values = ["", "x", "\"", "a,b", "\n", "\\.", "1.0", "1.00", nil] as [String?]
                    return key + (keyCount..<columnCount).map { _ in values.randomElement(using: &random) ?? nil }
                }
            }
            table = rows(&random)
            file = rows(&random)
        }

        var columns: [String] { (0..<columnCount).map { "c\($0)" } }

        /// What the merge has to come to: the rows in order, and what became of those of the file.
        var expected: (rows: [String], merged: MergedRows) {
            func key(_ row: Row) -> [String?] { Array(row.prefix(keyCount)) }
            var rows = Dictionary(uniqueKeysWithValues: table.map { (key($0), $0) })
            var (inserted, updated) = (0, 0)
            for row in file {
                guard let old = rows[key(row)] else {
                    inserted += 1
                    rows[key(row)] = row
                    continue
                }
                guard mode == .upsert, old != row else { continue }
                updated += 1
                rows[key(row)] = row
            }
            return (
                rows.values.map { $0.map { $0 ?? "NULL" }.joined(separator: "|") }.sorted(),
                mode == .upsert
                    ? .upserted(file.count, inserted: inserted, updated: updated)
                    : .inserted(file.count, inserted: inserted)
            )
        }

        var definition: String {
            let types = columns.enumerated().map { $1 + ($0 < keyCount ? " int" : " text") }.joined(separator: ", ")
            let key = columns.prefix(keyCount).joined(separator: ", ")
            let rows = table.map { row in
                "(" + row.map { $0.map(quotedLiteral) ?? "null" }.joined(separator: ", ") + ")"
            }
            return "create table t (\(types), primary key (\(key)))"
                + (isPartitioned
                    ? " partition by hash (c0); create table t_a partition of t for values with (modulus 2, remainder 0);"
                        + "create table t_b partition of t for values with (modulus 2, remainder 1);" : ";")
                + (rows.isEmpty ? "" : "insert into t values \(rows.joined(separator: ", "))")
        }

        /// The file with its columns and its rows in another order.
        func csv(_ random: inout SeededGenerator) -> String {
            let order = columns.indices.shuffled(using: &random)
            func field(_ value: String?) -> String {
                value.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" } ?? ""
            }
            let lines = file.shuffled(using: &random).map { row in order.map { field(row[$0]) }.joined(separator: ",") }
            return ([order.map { columns[$0] }.joined(separator: ",")] + lines).map { $0 + "\n" }.joined()
        }
    }

    @Test("The table has the rows that were computed, and they are counted", arguments: 0..<4)
    func agrees(seed: Int) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        try await RunFixture.with { fixture in
            for _ in 0..<8 {
                let sample = Sample(&random)
                try await fixture.execute(fixture.target, "drop table if exists t; " + sample.definition)
                try fixture.write("t", sample.csv(&random))
                let merged = try await fixture.merge("[t]", mode: sample.mode)
                let expected = sample.expected
                #expect(merged == [expected.merged], "\(sample)")
                let columns = sample.columns.joined(separator: ", ")
                let rows = try await fixture.rows(fixture.target, "select \(columns) from t").sorted()
                #expect(rows == expected.rows, "\(sample)")
            }
        }
    }
}
