import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

extension SetRecord {
    /// A record of a set without files.
    static func example(
        _ id: String,
        status: Status = .complete,
        consistency: Consistency = .snapshot,
        supersededBy: String? = nil
    ) -> SetRecord {
        let moment = (try? Date(id + "Z", strategy: .iso8601)) ?? Date(timeIntervalSince1970: 0)
        return SetRecord(
            id: id,
            tool: "databudgie 3.0.0",
            status: status,
            consistency: consistency,
            startedAt: moment,
            finishedAt: moment.addingTimeInterval(12),
            totals: Totals(tables: 2, rows: 1_234, bytes: 99_000, fileBytes: 5_000),
            tables: [],
            definitions: [],
            foreignKeys: [],
            failures: [],
            warnings: [],
            supersededBy: supersededBy
        )
    }
}

/// A set catalog on a disk or in S3, and the configuration that it belongs to.
struct ExampleCatalog: Sendable {
    let storage: any Storage
    let folder: StoragePath
    let configuration: Configuration
    let variables: [String: String]

    /// Makes an empty catalog for the length of a closure.
    static func with(_ kind: StorageUnderTest, _ body: (ExampleCatalog) async throws -> Void) async throws {
        try await kind.withStorage { storage, folder in
            let yaml = "{root_location: '\(folder)', location: '{table}', tables: ['public.*']}"
            try await body(
                ExampleCatalog(
                    storage: storage,
                    folder: folder,
                    configuration: try Configuration.load(yaml: yaml, environment: [:]),
                    variables: kind == .s3 ? try await S3Server.shared.environment : [:]
                )
            )
        }
    }

    /// Surroundings at a moment.
    func environment(_ now: Date = Date()) -> RunEnvironment { RunEnvironment(variables: variables, now: now) }

    func write(_ text: String, to file: String) async throws {
        _ = try await storage.write(folder.appending(file), ifExists: .replace, from: SingleChunk(Array(text.utf8)))
    }

    func write(_ record: SetRecord) async throws {
        try await write(String(decoding: try record.json(), as: UTF8.self), to: "catalog/\(record.id).json")
    }
}
