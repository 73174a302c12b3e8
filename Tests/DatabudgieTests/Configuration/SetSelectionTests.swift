import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("The set that a restore is asked for")
struct SetSelectionTests {
    @Test(
        "It is read as ISO 8601 has it, in UTC without an offset; a date is its last second",
        arguments: [
            ("2026-11-26", "2026-11-26T23:59:59"), ("2026-11-26T03:00", "2026-11-26T03:00:00"),
            ("2026-11-26 03:00:01", "2026-11-26T03:00:01"), ("2026-11-26T03:00:00Z", "2026-11-26T03:00:00"),
            ("2026-11-26T03:00+01:00", "2026-11-26T02:00:00"), ("2026-11-26T03:00:00-0530", "2026-11-26T08:30:00"),
            ("2026-11-26T00:30+01", "2026-11-25T23:30:00"), ("2024-02-29", "2024-02-29T23:59:59"),
        ]
    )
    func moments(text: String, expected: String) {
        #expect(SetSelection.moment(text).map { RunTimestamp($0).timestamp } == expected)
    }

    @Test(
        "Nothing else is",
        arguments: [
            "", "now", "2026", "2026-11", "2026-02-30", "2025-02-29", "2026-11-26T", "2026-11-26T3:00",
            "2026-11-26T24:00",
            "2026-11-26T03", "2026-11-26T03:60", "2026-11-26T03:00:00+1", "2026-11-26T03:00:00+01:0",
            "2026-11-26T03:00 CET",
            "2026-11-26X03:00", "26.11.2026", "2026-11-26T03:00:00:00",
        ]
    )
    func refused(text: String) {
        #expect(SetSelection.moment(text) == nil)
    }

    @Test("A set and another strategy exclude each other in a configuration built in code too")
    func conflictingSets() throws {
        let connection = try ConnectionParameters(url: "postgresql://localhost/shop")
        func error(_ strategy: RestoreStrategy?, _ ddl: RestoreStrategy?, _ set: SetSelection) -> String? {
            let definitions = DefinitionConfiguration(isEnabled: true, strategy: ddl)
            let configuration = Configuration(
                restore: RestoreConfiguration(
                    run: RunConfiguration(connection: connection, definitions: definitions),
                    tables: [RestoreEntry(options: TableOptions(name: "a"), strategy: strategy)],
                    set: set
                )
            )
            do {
                _ = try RunSettings(configuration, for: .restore, in: RunEnvironment(variables: [:]))
                return nil
            } catch {
                return error.code == .configuration ? error.message : "\(error.code)"
            }
        }
        #expect(error(.useLatestMetadata, nil, .newest) == nil)
        #expect(error(.useLatestSet, nil, .id("latest")) == nil)
        #expect(
            error(.useLatestMetadata, nil, .id("2026"))
                == "the entry 'a': 'strategy: use_latest_metadata' and --set exclude each other"
        )
        #expect(
            error(nil, .useLatestFilename, .asOf(.now))
                == "ddl: 'strategy: use_latest_filename' and --as-of exclude each other"
        )
    }
}
