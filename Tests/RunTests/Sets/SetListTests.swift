import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("The list of sets")
struct SetListTests {
    private let now = Date(timeIntervalSince1970: 1_767_323_045)

    private func mark(_ id: String, host: String, pid: Int, age: TimeInterval = 60) -> String {
        let started = now.addingTimeInterval(-age).formatted(.iso8601)
        return
            "{\"format\":1,\"host\":\"\(host)\",\"id\":\"\(id)\",\"pid\":\(pid),\"started_at\":\"\(started)\",\"tool\":\"x\"}"
    }

    @Test("Sets come newest first, with what has become of them", arguments: StorageUnderTest.allCases)
    func states(_ kind: StorageUnderTest) async throws {
        try await ExampleCatalog.with(kind) { catalog in
            try await catalog.write(.example("2026-01-01T00:00:00", supersededBy: "2026-01-01T00:00:01"))
            try await catalog.write(.example("2026-01-01T00:00:01", consistency: .mixed))
            try await catalog.write(.example("2026-01-01T00:00:02", status: .partial))
            // A run whose mark could not be removed is a set.
            try await catalog.write(
                mark("2026-01-01T00:00:02", host: "elsewhere", pid: 1),
                to: "catalog/2026-01-01T00:00:02.running"
            )
            try await catalog.write("verified", to: "catalog/2026-01-01T00:00:02.verified.json")
            try await catalog.write(
                "{\"format\": 9, \"tool\": \"databudgie 9.0.0\"}",
                to: "catalog/2026-01-01T00:00:03.json"
            )
            try await catalog.write("{\"format\": 1, ", to: "catalog/2026-01-01T00:00:04.json")
            let (host, pid) = (ProcessInfo.processInfo.hostName, Int(ProcessInfo.processInfo.processIdentifier))
            let marks = [
                "05": mark("2026-01-01T00:00:05", host: "elsewhere", pid: 1),
                "06": mark("2026-01-01T00:00:06", host: "elsewhere", pid: 1, age: 90_000),
                "07": mark("2026-01-01T00:00:07", host: host, pid: pid),
                "08": mark("2026-01-01T00:00:08", host: host, pid: Int(Int32.max)),
                "09": "{\"host\": ",
            ]
            for (second, text) in marks {
                try await catalog.write(text, to: "catalog/2026-01-01T00:00:\(second).running")
            }
            for file in ["catalog/notes.txt", "catalog/2026-01-01T00:00:10.json.bak"] {
                try await catalog.write("{}", to: file)
            }
            let sets = try await SetList(catalog.configuration, environment: catalog.environment(now)).read()
            #expect(
                sets.map { "\($0.id.suffix(2)) \($0.state.rawValue) \($0.summary?.consistency.rawValue ?? "-")" } == [
                    "09 running -", "08 crashed -", "07 running -", "06 crashed -", "05 running -", "04 unreadable -",
                    "03 unreadable -", "02 partial snapshot", "01 complete mixed", "00 superseded snapshot",
                ]
            )
            #expect(sets[2].run?.pid == pid)
            #expect(sets[5].problem?.message.contains("00:00:04.json is damaged: it is not JSON") == true)
            #expect(sets[6].problem?.message.contains("has the format 9 of databudgie 9.0.0") == true)
            #expect(
                sets[8].summary?.totals == SetRecord.Totals(tables: 2, rows: 1_234, bytes: 99_000, fileBytes: 5_000)
            )
            #expect(sets[9].summary?.supersededBy == "2026-01-01T00:00:01")
        }
    }

    @Test("A catalog that is not there has no sets", arguments: StorageUnderTest.allCases)
    func empty(_ kind: StorageUnderTest) async throws {
        try await ExampleCatalog.with(kind) { catalog in
            let list = SetList(catalog.configuration, environment: catalog.environment())
            let (sets, folder) = (try await list.read(), try list.catalog())
            #expect(sets.isEmpty)
            #expect(folder == catalog.folder.appending("catalog"))
        }
    }

    @Test("A configuration without a catalog is refused")
    func noCatalog() async throws {
        for (yaml, reason) in [
            (
                "{tables: {a.a: {location: /x/a}, a.b: {location: 's3://bucket/b'}}}",
                "the locations have no folder in common"
            ),
            ("{}", "the configuration has no tables"),
        ] {
            let configuration = try Configuration.load(yaml: yaml, environment: [:])
            let error = await #expect(throws: DatabudgieError.self) { try await SetList(configuration).read() }
            #expect(error?.code == .configuration)
            #expect(error?.message == "there is no set catalog, because \(reason)")
            #expect(error?.hint == "name the folder of the set records under 'catalog'")
        }
    }

    @Test("A record that the role may not read is listed with the reason")
    func permissions() async throws {
        let server = try await S3Server.shared
        try await ExampleCatalog.with(.s3) { catalog in
            for second in 0..<3 { try await catalog.write(.example("2026-01-01T00:00:0\(second)")) }
            let rule = FaultProxy.Rule(.error(403, "AccessDenied"), method: "GET", target: "01.json")
            try await FaultProxy.withProxy(to: server.endpoint, rules: [rule]) { proxy async throws in
                var configuration = catalog.configuration
                configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                let sets = try await SetList(configuration, environment: RunEnvironment(variables: [:])).read()
                #expect(sets.map(\.state) == [.complete, .unreadable, .complete])
                #expect(sets[1].problem?.code == .storage)
            }
        }
    }
}
