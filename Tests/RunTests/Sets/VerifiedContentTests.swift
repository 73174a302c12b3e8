import Compression
import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("What a verification compares, and of which sets")
struct VerifiedContentTests {
    @Test("Counts that differ from those of the record are found: of segments when they are read, of tables at 'rows'")
    func counts() async throws {
        try await HandMadeSets.with(.local) { sets in
            var record = try await sets.writeSet()
            record.tables[1].rows = 901
            record.tables[2].bytes = 5
            record.totals.rows = 2_702
            try await sets.write(record)
            #expect(try await sets.damages() == [])
            let rows = try await sets.damages(.rows)
            let bytes = HandMadeSets.lines(900).joined().utf8.count
            #expect(
                rows.map(\.message) == [
                    "the file has 900 rows, and the set record says 901",
                    "the file has \(bytes) bytes of CSV, and the set record says 5",
                    "the record of the set \(HandMadeSets.id) says 2702 rows in all, and 2701 in its tables",
                ]
            )
            #expect(rows.map(\.table) == ["public.gzip", "public.zstd", nil])
            let count = try #require(record.tables[0].file?.segments?[1].rows)
            record.tables[0].file?.segments?[1].rows = count + 1
            record.tables[1].file?.segments?[0].uncompressedBytes -= 1
            try await sets.write(record)
            let damages = try await sets.damages()
            #expect(damages.map(\.segment) == [2, 1])
            #expect(damages[0].message == "it holds \(count) records, and the set record says \(count + 1)")
        }
    }

    @Test(
        "Records that a restore would refuse are found at 'rows' alone",
        arguments: [
            ("id,name\n", ["1,a\n", "2\n", "3,b,c\n"], "record 3 has 1 field for 2 columns (and 1 similar)"),
            ("id,other\n", ["1,a\n"], "its header is id, other, and the set record says id, name"),
            ("id\n", ["1,a\n"], "its header is id, and the set record says id, name"),
            ("\"id\",\"na\"\"me\"\n", ["1,a\n"], "its header is id, na\"me, and the set record says id, name"),
            ("id,name\n", ["1,a\n", "\\.\n"], "record 3 is only \\., which ends the data for older servers"),
            ("id,name\n", ["1,\"a\n"], "it ends inside quotes"),
        ],
        [CompressionFormat?.none, .gzip, .zstd]
    )
    func records(_ example: (header: String, rows: [String], message: String), _ format: CompressionFormat?)
        async throws
    {
        try await HandMadeSets.with(.local) { sets in
            try await sets.write(
                sets.record([try await sets.writeTable("t", [example.header] + example.rows, format)])
            )
            #expect(try await sets.damages() == [])
            let damages = try await sets.damages(.rows)
            #expect(damages.map(\.message).contains(example.message), "\(damages)")
            #expect(damages.allSatisfy { $0.segment == 1 && $0.offset == 0 && $0.table == "public.t" })
        }
    }

    @Test("The number of a record counts those of the segments before it")
    func recordNumbers() async throws {
        try await HandMadeSets.with(.local) { sets in
            var lines = HandMadeSets.lines(600)
            lines[400] = "1\n"
            try await sets.write(sets.record([try await sets.writeTable("t", lines, .zstd)]))
            for partSize in [nil, Int64(1)] {
                let damages = try await sets.damages(.rows, partSize: partSize)
                #expect(damages.map(\.message) == ["record 401 has 1 field for 2 columns"])
                #expect((damages.first?.segment ?? 0) > 1)
            }
        }
    }

    @Test("A file without recorded hashes is read to its end, which is a note; damage in it is found")
    func unhashed() async throws {
        try await HandMadeSets.with(.local) { sets in
            var record = try await sets.writeSet()
            for number in record.tables.indices {
                record.tables[number].file?.segments = nil
                record.tables[number].columns = []
            }
            record.definitions[0].sha256 = nil
            try await sets.write(record)
            let log = VerificationLog()
            for level in [SetVerification.Level.hashes, .rows] {
                let verified = try await sets.verification(level).run(onEvent: log.append)
                #expect(verified.outcome == .ok && verified.unhashedFiles == 4)
                #expect(verified.totals.rows == 2_700)
            }
            #expect(log.messages(.note).count == 8)
            #expect(log.messages(.note).allSatisfy { $0.contains("no hashes are recorded") })
            #expect(try await sets.stored()?["unhashed_files"] as? Int == 4)

            let path = try #require(record.tables[1].file?.path)
            let bytes = try await sets.bytes(path)
            var flipped = bytes
            flipped[bytes.count / 2] ^= 8
            try await sets.write(flipped, to: path)
            let damages = try await sets.damages()
            #expect(damages.count == 1 && damages[0].path == path && damages[0].offset != nil)
            #expect(damages[0].message.contains("corrupt"))
            try await sets.write(bytes, to: path)

            record.tables[0].file?.bytes = 20
            try await sets.write(Array("id,name\n1,a\n2,b\n3\n44".utf8), to: record.files[0].path)
            record.tables[0].rows = nil
            record.totals.rows = nil
            try await sets.write(record)
            #expect(try await sets.damages().map(\.message).first?.contains("the last line has no line break") == true)
        }
    }

    @Test("A set whose files a newer one has replaced is not damaged: that is said")
    func superseded() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (a int); insert into t values (1)")
            let yaml = fixture.yaml("{t: {filename: 'all.{ext}'}}")
            let first = try #require(try await fixture.backup(yaml).set)
            try await fixture.execute(fixture.source, "insert into t values (2)")
            let second = try #require(try await fixture.backup(yaml).set)
            #expect(first != second)
            let verification = Verification(try fixture.configuration(yaml))
            let verified = try await verification.run(first)
            #expect(verified.outcome == .superseded(by: second) && !verified.hasFindings && !verified.isStored)
            #expect(try await verification.run().id == second)
            let all = try await verification.runAll()
            #expect(all.map(\.id) == [second, first])
            #expect(all.map(\.outcome) == [.ok, .superseded(by: second)])
        }
    }

    @Test("A list has the result of the last verification, and none where it cannot be read")
    func list() async throws {
        try await HandMadeSets.with(.local) { sets in
            let record = try await sets.writeSet()
            let list = SetList(try sets.configuration)
            #expect(try await list.read().map(\.verification) == [nil])
            try await sets.verification(.rows).run()
            let verification = try #require(try await list.read()[0].verification)
            #expect(verification.level == .rows && verification.status == .ok && verification.id == record.id)
            #expect(verification.verifiedAt == Date(timeIntervalSince1970: 1_770_000_000))
            try await sets.storage.delete([sets.folder.appending(record.files[0].path)])
            try await sets.verification(.files).run()
            let second = try #require(try await list.read()[0].verification)
            #expect(second.level == .files && second.status == .damaged && second.findingCount == 1)
            for text in ["{", "{\"format\": 9}"] {
                try await sets.write(Array(text.utf8), to: "catalog/\(record.id).verified.json")
                #expect(try await list.read().map(\.verification) == [nil])
            }
        }
    }

    @Test("Of all sets, one whose record is damaged is a finding, and the others are verified")
    func allSets() async throws {
        try await HandMadeSets.with(.local) { sets in
            var record = try await sets.writeSet()
            record.id = "2026-01-03T00:00:00"
            record.status = .partial
            try await sets.write(record)
            try await sets.write(Array("{\"format\": 1".utf8), to: "catalog/2026-01-04T00:00:00.json")
            try await sets.write(
                Array("{\"format\": 9, \"tool\": \"databudgie 9\"}".utf8),
                to: "catalog/2026-01-05T00:00:00.json"
            )
            try await sets.write(Array("{}".utf8), to: "catalog/2026-01-06T00:00:00.running")
            for level in SetVerification.Level.allCases where level != .restore {
                let log = VerificationLog()
                let all = try await sets.verification(level).runAll(onEvent: log.append)
                #expect(all.map(\.id.utf8.count) == [19, 19, 19, 19])
                #expect(all.map(\.hasFindings) == [true, true, false, false])
                #expect(all.map(\.isPartial) == [false, false, true, false])
                #expect(log.findings.count == 2)
                #expect(log.findings.contains { $0.contains("databudgie 9") })
            }
            #expect(try await sets.stored()?["status"] as? String == "ok")
            await #expect(throws: DatabudgieError.self) { try await sets.verification().run("2026-01-04") }
            await #expect(throws: DatabudgieError.self) { try await sets.verification().run("2026-01-06") }
        }
    }

    @Test("A catalog without sets is an error, because nothing was verified")
    func noSets() async throws {
        try await HandMadeSets.with(.local) { sets in
            let error = await #expect(throws: DatabudgieError.self) { try await sets.verification().runAll() }
            #expect(error?.code == .nothingToDo)
            await #expect(throws: DatabudgieError.self) { try await sets.verification().run() }
        }
    }

    @Test("A thousand findings are stored, and the count of all")
    func manyFindings() async throws {
        try await HandMadeSets.with(.local) { sets in
            let tables = (0..<1_100).map { number in
                SetRecord.Table(
                    schema: "public",
                    name: "t\(number)",
                    columns: [],
                    file: SetRecord.DataFile(path: "public.t\(number)/x.csv", bytes: 1),
                    sequences: []
                )
            }
            try await sets.write(sets.record(tables))
            for level in SetVerification.Level.allCases where level != .restore {
                let damages = try await sets.damages(level)
                #expect(damages.map(\.table) == tables.map { "public.\($0.name ?? "")" })
                let stored = try #require(try await sets.stored())
                let findings = stored["findings"] as? [Any]
                #expect(findings?.count == 1_000)
                #expect(stored["finding_count"] as? Int == 1_100)
            }
        }
    }

    @Test("What a damaged record says is a finding, whatever the numbers are")
    func damagedRecord() async throws {
        try await HandMadeSets.with(.local) { sets in
            var record = try await sets.writeSet()
            record.tables[0].file?.segments?[1].bytes = -5
            record.tables[1].file?.compression = "rar"
            record.tables[2].file?.path = "../../etc/passwd"
            record.tables[2].file?.segments?[0].rows = .max
            try await sets.write(record)
            for level in [SetVerification.Level.hashes, .rows] {
                let messages = try await sets.damages(level).map(\.message)
                #expect(messages.count == 3, "\(messages)")
                #expect(messages[0].hasPrefix("the segments in the set record do not add up to its "))
                #expect(messages[1].contains("the compression 'rar'"))
                #expect(messages[2].contains("not one of a backup's files"))
            }
        }
    }
}
