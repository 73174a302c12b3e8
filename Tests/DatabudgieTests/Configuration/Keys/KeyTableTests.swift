import Foundation
import Testing

@testable import Databudgie

@Suite("The table of keys")
struct KeyTableTests {
    private static let documentation = URL(filePath: #filePath)
        .appending(path: "../../../../../Documentation").standardizedFileURL
    private static let records = ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1"

    /// Keys with their levels; those of `backup` are at the root as well, and are tried there.
    static let places: [(level: ConfigurationLevel, key: ConfigurationKey)] =
        ([ConfigurationLevel.root, .table] + ConfigurationKey.parts.map(\.level))
        .flatMap { level in ConfigurationKey.keys(in: level).map { (level, $0) } }

    @Test("No name is twice on one level")
    func unique() {
        for level in ConfigurationLevel.all {
            let names = ConfigurationKey.keys(in: level).map { ByteKey($0.name) }
            #expect(Set(names).count == names.count, "\(level.name)")
        }
    }

    @Test("Every key is read wherever it may be: a value that none can have is reported", arguments: places.indices)
    func isRead(index: Int) throws {
        let (level, key) = Self.places[index]
        // A note for editors, and a name that the element of a list has.
        guard key.name != "$schema", !(level == .connection && key.name == "name") else { return }
        let isMask = level == .mask && Mask.names.contains(key.name)
        let entry = "\(key.name == "null" ? "\"null\"" : key.name): [[]]"
        let text =
            switch level {
            case .root: entry
            case .table: key.name == "name" ? "tables: [{\(entry)}]" : "tables: [{name: a, \(entry)}]"
            case .connection: "url: {\(entry)}"
            case .subset: "subset: {\(key.name == "start" ? "" : "start: {a: x}, ")\(entry)}"
            case .subsetStart: "subset: {start: {a: {\(entry)}}}"
            case .subsetReference: "subset: {start: {a: x}, references: {b: {\(entry)}}}"
            case .mask where isMask || key.name == "mask": "masking: {columns: {c: {\(entry)}}}"
            case .mask: "masking: {columns: {c: {mask: city, \(entry)}}}"
            case .notify where ["events", "format", "headers"].contains(key.name):
                "notify: {url: 'https://a', \(entry)}"
            case .redact: "masking: {columns: {c: {redact: {\(entry)}}}}"
            default: "\(level.name): {\(entry)}"
            }
        let found = problems(text)
        #expect(!found.isEmpty, "\(text)")
        #expect(found.allSatisfy { !$0.contains("unknown key") }, "\(found)")
    }

    @Test("A key that the table lacks is an error on every level that has keys")
    func unknownKeys() {
        for text in [
            "zzz: 1", "backup: {zzz: 1}", "restore: {zzz: 1}", "tables: [{name: a, zzz: 1}]", "logging: {zzz: 1}",
            "sentry: {zzz: 1}", "url: {zzz: 1}", "s3: {zzz: 1}", "ddl: {zzz: 1}",
            "retention: {keep_last: 1, zzz: 1}", "rename: {zzz: 1}", "subset: {start: {a: x}, zzz: 1}",
            "subset: {start: {a: {where: x, zzz: 1}}}", "subset: {start: {a: x}, references: {b: {zzz: 1}}}",
            "notify: {zzz: 1}", "masking: {zzz: 1}", "masking: {columns: {c: {redact: {zzz: 1}}}}",
        ] {
            #expect(problems(text).contains { $0.contains("unknown key 'zzz'") }, "\(text)")
        }
        #expect(problems("masking: {columns: {c: {zzz: 1}}}").contains { $0.contains("there is no mask 'zzz'") })
    }

    @Test("What `config` prints are the keys of the table, and all that it is to print")
    func printed() throws {
        let yaml = """
            url: postgresql://user:password@host:1/database?sslmode=require
            sentry: {sentry_dsn: "https://key@host/1", version: v, environment: e}
            retention: {keep_last: 1}
            notify:
            - {healthchecks: "https://a"}
            - {url: "https://a", format: text, events: failure, headers: {Title: a}}
            - {command: [a]}
            subset:
              start: {a: {where: w, order_by: o, limit: 1, sample: 1%, allow_empty: true}}
              references:
                b: {follow: both, to: t.c, when: w, elements: true, where: r, limit: 1, order_by: o, sample: 1%}
                c: {to: t.c, expression: e}
            masking:
              key: 0123456789abcdef
              columns:
                a: {redact: {first: 1, last: 1}}
                b: {mask: city, by: b, context: c, locale: de}
                c: {sql: s, unique: true}
            rename: {schema: {a: b}, table: {a.c: a.d}}
            tables: [a]
            """
        let text = ConfigurationPrinter().yaml(try configuration(yaml))
        let root = try ConfigurationFormat.yaml.read(text, source: "printed")
        let backup = try #require(root["backup"]?.mapping)
        let restore = try #require(root["restore"]?.mapping)
        expect(
            root,
            has: ConfigurationKey.keys(in: .root).filter { [.root, .reporting].contains($0.home) },
            "the root"
        )
        for (mapping, kind) in [(backup, RunKind.backup), (restore, .restore)] {
            // Of an entry's keys only these count for a whole run as well.
            let keys = ConfigurationKey.keys(in: .command(kind)).filter {
                $0.home == .run || $0.home == .command(kind) || ["strict", "ddl"].contains($0.name)
            }
            expect(mapping, has: keys, kind.rawValue)
            let entry = try #require(mapping["tables"]?.list?.first?.mapping)
            expect(entry, has: ConfigurationKey.ofTables.filter { $0.kind == nil || $0.kind == kind }, "\(kind) entry")
            expect(mapping["connection"], .connection)
            expect(mapping["s3"], .s3)
            let receivers = try #require(mapping["notify"]?.list)
            expect(union(receivers), has: ConfigurationKey.ofNotifications, "receivers")
            expect(mapping["ddl"], .ddl)
            expect(entry["rename"], kind == .restore ? .rename : nil)
        }
        expect(root["logging"], .logging)
        expect(root["sentry"], .sentry)
        expect(backup["retention"], .retention)
        let subset = try #require(backup["subset"])
        expect(subset, .subset)
        expect(subset.mapping?["start"]?.mapping?["a"], .subsetStart)
        let references = try #require(subset.mapping?["references"]?.mapping)
        expect(
            union(references.entries.map(\.value)),
            has: ConfigurationKey.keys(in: .subsetReference),
            "references"
        )
        let masking = try #require(backup["masking"])
        expect(masking, .masking)
        let masks = try #require(masking.mapping?["columns"]?.mapping)
        let options =
            ConfigurationKey.ofMaskOptions
            + ConfigurationKey.keys(in: .mask).filter {
                ["mask", "redact", "sql"].contains($0.name)
            }
        expect(union(masks.entries.map(\.value)), has: options, "masks")
        expect(masks["a"]?.mapping?["redact"], .redact)
    }

    private func union(_ values: [SourceValue]) -> SourceMapping {
        var all = SourceMapping()
        for entry in values.compactMap(\.mapping).flatMap(\.entries) { all[entry.key] = entry.value }
        return all
    }

    private func expect(_ value: SourceValue?, _ level: ConfigurationLevel?) {
        guard let level else {
            #expect(value == nil)
            return
        }
        expect(value?.mapping ?? SourceMapping(), has: ConfigurationKey.keys(in: level), level.name)
    }

    private func expect(_ mapping: SourceMapping, has keys: [ConfigurationKey], _ place: String) {
        let printed = Set(mapping.entries.map { ByteKey($0.key) })
        #expect(printed == Set(keys.filter(\.isPrinted).map { ByteKey($0.name) }), "\(place)")
    }

    @Test("The tables of the guide are those of the keys", arguments: GuideTables.pages)
    func guide(page: String) throws {
        let file = Self.documentation.appending(path: page)
        let text = try String(contentsOf: file, encoding: .utf8)
        let updated = GuideTables.updated(text).text
        if Self.records { try Data(updated.utf8).write(to: file) }
        let current = try String(contentsOf: file, encoding: .utf8)
        #expect(updated == current, "RECORD_SNAPSHOTS=1 makes them again")
    }

    @Test("Every key is in one table of the guide, but for masks, which have their own page")
    func complete() throws {
        let sections = try GuideTables.pages.flatMap { page in
            GuideTables.updated(try String(contentsOf: Self.documentation.appending(path: page), encoding: .utf8))
                .sections
        }
        #expect(Set(sections).count == sections.count)
        for key in ConfigurationKey.all where key.original == nil {
            let count = sections.filter {
                GuideTables.keys(of: $0).contains { $0.name == key.name && $0.home == key.home }
            }
            .count
            let isMask = key.home == .inside(.mask) || key.home == .inside(.redact)
            #expect(count == (isMask ? 0 : 1), "\(key.name)")
        }
        let masks = try String(contentsOf: Self.documentation.appending(path: "masking.md"), encoding: .utf8)
        for key in ConfigurationKey.keys(in: .mask) + ConfigurationKey.keys(in: .redact) {
            #expect(masks.contains(key.name), "\(key.name)")
        }
    }

    @Test("The schema in the documentation is that of the keys")
    func schemaFile() throws {
        let file = Self.documentation.appending(path: "configuration.schema.json")
        if Self.records { try Data(ConfigurationSchema.json.utf8).write(to: file) }
        let current = try String(contentsOf: file, encoding: .utf8)
        #expect(current == ConfigurationSchema.json, "RECORD_SNAPSHOTS=1 writes it again")
    }
}
