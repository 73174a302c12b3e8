import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Set records")
struct SetRecordTests {
    private let minimal = """
        {"format": 1, "id": "2026-01-02T03:04:05", "tool": "databudgie 3.0.0", "status": "complete",
        "consistency": "snapshot", "started_at": "2026-01-02T03:04:05Z", "finished_at": "2026-01-02T03:05:00Z",
        "totals": {"tables": 0, "file_bytes": 0}, "tables": [], "definitions": [], "foreign_keys": [], "failures": [],
        "warnings": []}
        """

    private func problem(_ text: String) -> (message: String, hint: String)? {
        do throws(DatabudgieError) {
            _ = try SetRecord(json: Array(text.utf8), at: "c/x.json")
            return nil
        } catch {
            return (error.message, error.hint ?? "")
        }
    }

    @Test("A record is read back as it was written")
    func roundTrip() throws {
        var record = try SetRecord(json: Array(minimal.utf8), at: "c/x.json")
        record.source = SetRecord.Source(database: "e\u{301}", serverVersion: "18.1", encoding: "UTF8")
        record.tables = [
            SetRecord.Table(
                schema: "a.b",
                name: "c/\"",
                columns: [SetRecord.Column(name: "id", type: "bigint", notNull: true, identity: true)],
                rows: 3,
                bytes: 9_007_199_254_740_993,
                file: SetRecord.DataFile(
                    path: "a/b.csv.gz",
                    bytes: 7,
                    compression: "gzip",
                    segments: [
                        SetRecord.Segment(offset: 0, bytes: 7, uncompressedBytes: 12, rows: 4, sha256: "00ff")
                    ]
                ),
                sequences: [SetRecord.RecordedSequence(schema: "s", name: "q", lastValue: .min, isCalled: false)]
            )
        ]
        record.supersededBy = "2026-01-03T03:04:05"
        let bytes = try record.json()
        #expect(try SetRecord(json: bytes, at: "c/x.json") == record)
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(String(decoding: bytes, as: UTF8.self).contains("\"last_value\" : -9223372036854775808"))
    }

    @Test("A record of a later format is refused, and the version that wrote it is named")
    func laterFormat() throws {
        let later = #"{"format": 7, "tool": "databudgie 9.1.0", "contents": []}"#
        let (message, hint) = try #require(problem(later))
        #expect(message.contains("c/x.json has the format 7 of databudgie 9.1.0"))
        #expect(hint == "use the version that wrote it, or a later one")
    }

    @Test(
        "What is wrong in a damaged record is said",
        arguments: [
            ("", "it is not JSON"), ("[]", "wrong value"), (#"{"format": 1}"#, "'id' is missing"),
            (#"{"format": "1"}"#, "format has a wrong value"),
        ]
    )
    func damaged(text: String, explanation: String) throws {
        let message = try #require(problem(text)).message
        #expect(
            message.hasPrefix("the set record c/x.json is damaged: ") && message.contains(explanation),
            "\(message)"
        )
        let cut = String(minimal.dropLast(40))
        #expect(try #require(problem(cut)).message.contains("it is not JSON"))
        let wrong = minimal.replacing("\"tables\": []", with: "\"tables\": [{\"columns\": [], \"sequences\": 1}]")
        #expect(try #require(problem(wrong)).message.contains("tables.[0].sequences has a wrong value"))
    }

    @Test(
        "Keys that this version does not know are ignored when a record is read, and kept when it is marked as superseded"
    )
    func unknownKeys() throws {
        let text = minimal.replacing("\"warnings\"", with: "\"colour\": {\"red\": 1.5}, \"warnings\"")
        let marked = try SetRecord.superseding(Array(text.utf8), by: "2026-02-02T00:00:00")
        #expect(try SetRecord(json: marked, at: "x").supersededBy == "2026-02-02T00:00:00")
        #expect(String(decoding: marked, as: UTF8.self).contains("\"colour\" : {\n    \"red\" : 1.5\n  }"))
    }
}

@Suite("Paths in set records")
struct RecordedPathsTests {
    @Test(
        "A path below the folder of the catalog is relative to it, and every other one absolute",
        arguments: [
            ("s3://bucket/nightly/catalog", "s3://bucket/nightly/public.a/x.csv", "public.a/x.csv"),
            ("s3://bucket/catalog", "s3://bucket/public.a/x.csv", "public.a/x.csv"),
            ("s3://bucket/nightly/catalog", "s3://bucket/nightly2/x.csv", "s3://bucket/nightly2/x.csv"),
            ("s3://bucket/catalog", "s3://other/x.csv", "s3://other/x.csv"),
            ("s3://bucket/catalog", "s3://bucket/s3://x.csv", "s3://bucket/s3://x.csv"),
            ("s3://bucket/catalog", "s3://bucket//x.csv", "s3://bucket//x.csv"),
            ("/data/catalog", "/data/public.a/x.csv", "public.a/x.csv"),
            ("/data/catalog", "/date/x.csv", "/date/x.csv"), ("/data/catalog", "backups/x.csv", "/work/backups/x.csv"),
            ("backups/catalog", "backups/public.a/x.csv", "public.a/x.csv"),
            ("backups/catalog", "../other/x.csv", "/other/x.csv"), ("catalog", "../x.csv", "/x.csv"),
            ("/data/catalog", "/data/../mnt/./x.csv", "/mnt/x.csv"), ("../b/catalog", "../b/a/x.csv", "a/x.csv"),
            ("catalog", "backups/x.csv", "backups/x.csv"), ("catalog", "/data/x.csv", "/data/x.csv"),
        ]
    )
    func paths(catalog: String, path: String, text: String) throws {
        let (catalog, path) = (try StoragePath(catalog), try StoragePath(path))
        let paths = RecordedPaths(catalog: catalog, workingDirectory: "/work")
        #expect(paths.text(of: path) == text)
        let isMoved = text.first == "/" && text != path.description
        #expect(try paths.path(of: text) == (isMoved ? .local(text) : path))
    }

    @Test("A set that was copied elsewhere is read there")
    func copied() throws {
        let paths = RecordedPaths(catalog: try StoragePath("copies/june/catalog"), workingDirectory: "/work")
        #expect(try paths.path(of: "public.a/x.csv") == .local("copies/june/public.a/x.csv"))
    }

    @Test(
        "A path that leads out of the folder is refused",
        arguments: ["../x.csv", "a/../../x.csv", "/data/../etc/passwd", ""]
    )
    func leadingOut(text: String) throws {
        let paths = RecordedPaths(catalog: try StoragePath("/data/catalog"), workingDirectory: "/work")
        #expect(throws: DatabudgieError.self) { try paths.path(of: text) }
    }
}
