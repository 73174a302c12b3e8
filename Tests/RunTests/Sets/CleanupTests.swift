import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Cleanup")
struct CleanupTests {
    /// Rows without an end, after enough of them that an upload has a part.
    private struct Endless: AsyncSequence, Sendable {
        struct Cut: Error {}

        struct AsyncIterator: AsyncIteratorProtocol {
            var chunks = 0

            mutating func next() async throws -> [UInt8]? {
                guard chunks < 7 else { throw Cut() }
                chunks += 1
                return [UInt8](repeating: 65, count: 1 << 20)
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
    }

    /// Leaves an upload behind, as a process does that is killed.
    private func leaveUpload(_ path: StoragePath) async throws {
        let server = try await S3Server.shared
        try await FaultProxy.withProxy(
            to: server.endpoint,
            rules: [.init(.error(403, "AccessDenied"), method: "DELETE")]
        ) {
            proxy async throws in
            let storage = S3Storage(options: server.options(endpoint: proxy.endpoint), environment: [:])
            await #expect(throws: Endless.Cut.self) {
                try await storage.write(path, ifExists: .replace, from: Endless())
            }
            try await storage.shutdown()
        }
    }

    private func environment(_ kind: StorageUnderTest, later: TimeInterval) async throws -> RunEnvironment {
        RunEnvironment(
            variables: kind == .s3 ? try await S3Server.shared.environment : [:],
            now: Date(timeIntervalSinceNow: later)
        )
    }

    @Test("Uploads with keys of the configuration that are older than a day are found in all its locations and removed")
    func uploads() async throws {
        let server = try await S3Server.shared
        try await server.withFolder { folder in
            let ours = [
                "data/public.a/2026-01-02T03:04:05.csv", "data/public.a/sequences/2026-01-02T03:04:05.json",
                "data/public.b/public.c/2026-01-02T03:04:05.csv.gz", "data/public.b/ddl/2026-01-02T03:04:05.sql",
                "data/public.a/.databudgie-check", "lists/2026-01-02T03:04:05.json", "daily/2026-01-02/x.csv.zst",
            ]
            let others = [
                "data/public.a/2026-01-02T03:04:05.csv.bak", "data/public.a/movie.mp4",
                "elsewhere/2026-01-02T03:04:05.csv",
                "data-2/public.a/2026-01-02T03:04:05.csv", "data/public.a/2026-13-02T03:04:05.csv",
            ]
            for key in ours + others { try await leaveUpload(folder.appending(key)) }
            let configuration = try Configuration.load(
                yaml: """
                    {root_location: '\(folder)', ddl: {location: lists}, tables: [
                      {name: 'public.*', location: 'data/{table}'},
                      {name: x, location: 'daily', filename: '{date}/x.{ext}'}]}
                    """,
                environment: [:]
            )
            let now = Cleanup(configuration, environment: try await environment(.s3, later: 0))
            #expect(try await now.find() == [])
            var dry = configuration
            dry.backup.run.isDryRun = true
            let later = try await environment(.s3, later: Cleanup.age + 3600)
            let found = try await Cleanup(dry, environment: later).find()
            #expect(found.map(\.place) == ours.sorted().map { folder.appending($0).description })
            #expect(found.allSatisfy { $0.kind == .upload && [0, 6 << 20].contains($0.size) })
            try await Cleanup(dry, environment: later).remove(found)
            #expect(try await Cleanup(dry, environment: later).find() == found)
            try await Cleanup(configuration, environment: later).remove(found)
            #expect(try await Cleanup(configuration, environment: later).find() == [])
            let storage = S3Storage(options: server.options(), environment: [:])
            let left = try await storage.unfinishedWrites(folder, before: .distantFuture)
            #expect(left.map(\.path.description) == others.sorted().map { folder.appending($0).description })
            for write in left { try await storage.discard(write) }
            try await storage.shutdown()
        }
    }

    @Test("Temporary files that are older than a day are found in all locations and removed, and nothing else is")
    func temporaryFiles() async throws {
        try await withTemporaryFolder { folder in
            let ours = [
                "data/.top.csv.1.partial", "data/public.a/.2026-01-02T03:04:05.csv.0123456789abcdef.partial",
                "data/public.a/ddl/.x.sql.ab.partial", "lists/.x.json.1.partial",
            ]
            let others = ["data/public.a/2026-01-02T03:04:05.csv", "data/.other.partial", "elsewhere/.x.csv.1.partial"]
            for file in ours + others {
                let url = URL(filePath: "\(folder)/\(file)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data([1, 2, 3]).write(to: url)
            }
            let configuration = try Configuration.load(
                yaml: """
                    {root_location: '\(folder)', ddl: {location: lists}, tables: [
                      {name: 'public.*', location: 'data/{table}'}, {name: a, location: 'data/more/{table}'},
                      {name: b, location: 'none/{table}'}]}
                    """,
                environment: [:]
            )
            let now = Cleanup(configuration, environment: try await environment(.local, later: 0))
            #expect(try await now.find() == [])
            let later = try await environment(.local, later: Cleanup.age + 3600)
            let cleanup = Cleanup(configuration, environment: later)
            let found = try await cleanup.find()
            #expect(found.map(\.place).sorted() == ours.sorted().map { "\(folder)/\($0)" })
            #expect(found.allSatisfy { $0.kind == .temporaryFile && $0.size == 3 })
            try await cleanup.remove(found)
            try await cleanup.remove(found)
            #expect(try await cleanup.find() == [])
            for file in others { #expect(FileManager.default.fileExists(atPath: "\(folder)/\(file)"), "\(file)") }
        }
    }

    @Test("A missing permission is named")
    func permissions() async throws {
        let server = try await S3Server.shared
        try await FaultProxy.withProxy(to: server.endpoint, rules: [.init(.error(403, "AccessDenied"), method: "GET")])
        {
            proxy async throws in
            var configuration = try Configuration.load(
                yaml:
                    "{location: 's3://\(server.bucket)/none/{table}', ddl: {location: 's3://\(server.bucket)/none'}, tables: [a]}",
                environment: [:]
            )
            configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
            let error = await #expect(throws: StorageError.self) {
                try await Cleanup(configuration, environment: RunEnvironment(variables: [:])).find()
            }
            #expect(error?.code == .accessDenied)
            #expect(
                error?.hint == "grant them s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts, or use others"
            )
        }
    }
}
