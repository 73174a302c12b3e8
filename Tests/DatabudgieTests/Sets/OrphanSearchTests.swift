import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Orphans")
struct OrphanSearchTests {
    private static let (old, young) = ("2026-03-01T00:00:00", "2026-03-09T12:00:00")

    private func date(_ text: String) throws -> Date { try Date(text + "Z", strategy: .iso8601) }

    /// A search at noon of March 10, after a first set on February 10.
    private func search(
        _ yaml: String = "tables: [public.*]",
        sets: [String: [String]] = ["2026-02-10T00:00:00": []],
        marks: [String: String] = [:]
    ) throws -> OrphanSearch {
        let prunable = try sets.map { id, files in
            PrunableSet(
                id: id,
                moment: try date(id),
                status: "complete",
                isComplete: true,
                database: nil,
                tables: [],
                files: files.map { PrunableSet.File(path: .local($0), size: 1) },
                records: []
            )
        }
        return OrphanSearch(
            own: try OwnPaths(try configuration(yaml).backup),
            catalog: .local("backups/catalog"),
            sets: Set(sets.keys.map { ByteKey($0) }),
            oldest: prunable.map(\.moment).min(),
            named: NamedFiles(prunable),
            marks: Dictionary(
                uniqueKeysWithValues: try marks.map { id, time in
                    (ByteKey(id), try file("backups/catalog/\(id).running", time))
                }
            ),
            limit: try date("2026-03-09T12:00:00")
        )
    }

    private func file(_ path: String, _ time: String = old) throws -> FileInfo {
        FileInfo(path: .local(path), size: 1, modified: try date(time), version: nil)
    }

    private func found(_ search: OrphanSearch, _ files: [FileInfo], _ writes: [UnfinishedWrite] = []) -> [String] {
        search.result(files, writes).orphans.map { "\($0.kind.rawValue) \($0.place)" }
    }

    @Test("A file of no set is an orphan when it is old, newer than the oldest set, and has the time of none")
    func files() throws {
        let orphan = "backups/public.a/2026-03-01T00:00:00.csv"
        let others = try [
            file("backups/public.b/2026-03-01T00:00:00.csv", Self.young),
            file("backups/public.a/2026-02-09T23:59:59.csv"), file("backups/public.a/2026-02-10T00:00:00.csv"),
            file("backups/public.c/2026-03-01T00:00:00.csv", "2026-02-09T00:00:00"),
            file("backups/public.a/notes.csv"), file("backups/public.a/notes/2026-03-01T00:00:00.csv"),
            file("backups/catalog/2026-03-01T00:00:00.json"), file("backups/catalog/ddl/2026-03-01T00:00:00.sql"),
        ]
        #expect(found(try search(), others + [try file(orphan)]) == ["file \(orphan)"])
    }

    @Test("What a record names is none, whatever its time and however its path is written")
    func namedFiles() throws {
        let sets = [
            "2026-02-10T00:00:00": ["backups/public.a/2026-02-01T00:00:00.csv", "./backups/public.b/now.csv"],
            "2026-02-11T00:00:00": ["backups/public.c/../public.d/now.csv"],
        ]
        let search = try search(
            "{tables: [public.*, {name: x, filename: 'now.{ext}', location: 'backups/{table}'}]}",
            sets: sets
        )
        #expect(found(search, [try file("backups/public.a/2026-02-01T00:00:00.csv")]) == [])
        let lasting = try self.search("{filename: 'now.{ext}', tables: [public.*]}", sets: sets)
        let files = try ["a", "b", "c", "d"].map { try file("backups/public.\($0)/now.csv") }
        #expect(
            found(lasting, files) == ["file backups/public.a/now.csv", "file backups/public.c/now.csv"]
        )
    }

    @Test("Without a set every file counts as a backup of databudgie 2.9.3")
    func noSets() throws {
        #expect(found(try search(sets: [:]), [try file("backups/public.a/2026-03-01T00:00:00.csv")]) == [])
    }

    @Test("A run whose mark and files are all old is broken: its files go with its mark, also when no set is older")
    func brokenRuns() throws {
        let id = "2026-03-01T00:00:00"
        let files = try [
            file("backups/public.a/\(id).csv"), file("backups/public.a/sequences/\(id).json"),
            file("backups/public.a/2026-03-02T00:00:00.csv"),
        ]
        let expected = [
            "broken_run backups/catalog/\(id).running", "file backups/public.a/\(id).csv",
            "file backups/public.a/sequences/\(id).json",
        ]
        #expect(found(try search(sets: [:], marks: [id: Self.old]), files) == expected)
        let all = found(try search(marks: [id: Self.old]), files)
        #expect(all.filter(expected.contains) == expected && all.count == 4)
    }

    @Test(
        "A run that has made progress within a day is none, by its mark, its files, its uploads or its temporary files"
    )
    func runsUnderWay() throws {
        let id = "2026-03-01T00:00:00"
        let files = [try file("backups/public.a/\(id).csv")]
        let search = try search(marks: [id: Self.old])
        func result(_ search: OrphanSearch, _ files: [FileInfo], _ writes: [UnfinishedWrite] = []) -> [String] {
            #expect(search.result(files, writes).running == [ByteKey(id)])
            return found(search, files, writes)
        }
        #expect(result(try self.search(marks: [id: Self.young]), files) == [])
        #expect(result(search, files + [try file("backups/public.b/\(id).csv", Self.young)]) == [])
        let write = UnfinishedWrite(
            path: .local("backups/public.b/\(id).csv"),
            modified: try date(Self.young),
            size: 1,
            id: ".x.partial"
        )
        #expect(result(search, files, [write]) == [])
        let other = UnfinishedWrite(
            path: .local("backups/public.b/\(Self.young).csv"),
            modified: try date(Self.young),
            size: 1,
            id: ".x.partial"
        )
        #expect(found(search, files, [other]).count == 2)
    }

    @Test("While a run is under way, a file without a time of its own is none")
    func lastingNames() throws {
        let yaml = "{tables: [{name: public.a, filename: 'now.{ext}'}, {name: public.b, filename: '{date}.{ext}'}]}"
        let files = try [
            file("backups/public.a/now.csv"), file("backups/public.b/2026-03-01.csv"),
            file("backups/public.b/2026-02-10.csv"),
        ]
        #expect(
            found(try search(yaml), files) == ["file backups/public.a/now.csv", "file backups/public.b/2026-03-01.csv"]
        )
        #expect(found(try search(yaml, marks: ["2026-03-10T09:00:00": Self.young]), files) == [])
    }

    @Test("Old temporary files and uploads are orphans, young ones are not")
    func unfinishedWrites() throws {
        let writes = try [("a", Self.old), ("b", Self.young)].map { name, time in
            UnfinishedWrite(
                path: .local("backups/public.\(name)/2026-03-01T00:00:00.csv"),
                modified: try date(time),
                size: 1,
                id: ".\(name).partial"
            )
        }
        #expect(found(try search(), [], writes) == ["temporary_file backups/public.a/.a.partial"])
    }
}
