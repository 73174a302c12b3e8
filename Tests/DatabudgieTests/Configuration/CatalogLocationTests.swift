import Storage
import Testing

@testable import Databudgie

@Suite("Where set records lie")
struct CatalogLocationTests {
    private func catalogs(_ yaml: String, tables: [String] = []) throws -> [String?] {
        var sources = ConfigurationSources(environment: [:])
        sources.overrides.rawConfig = yaml
        sources.overrides.rawConfigFormat = .yaml
        sources.overrides.tables = tables
        sources.looksForDefaultFiles = false
        let configuration = try Configuration.load(sources)
        return [configuration.catalog(for: .backup)?.description, configuration.catalog(for: .restore)?.description]
    }

    @Test(
        "They lie in the deepest folder that holds all configured locations",
        arguments: [
            ("{tables: [a, b]}", "backups/catalog"), ("{location: '{table}', tables: [a]}", "./catalog"),
            ("{root_location: 's3://bkt/x', location: '{table}', tables: [a]}", "s3://bkt/x/catalog"),
            ("{tables: {a: {location: 's3://bkt/x/y/a'}, b: {location: 's3://bkt/x/z'}}}", "s3://bkt/x/catalog"),
            ("{tables: {a: {location: 's3://bkt/x'}, b: {location: 's3://bkt/y'}}}", "s3://bkt/catalog"),
            ("{tables: {a: {location: 's3://bkt/x'}, b: {location: 's3://other/x'}}}", nil),
            ("{tables: {a: {location: 's3://bkt/x'}, b: {location: x}}}", nil),
            ("{tables: {a: {location: /data/x}, b: {location: /data/xy}}}", "/data/catalog"),
            ("{tables: {a: {location: /data/x}, b: {location: /mnt/x}}}", nil),
            ("{tables: {a: {location: /data/x}, b: {location: data/x}}}", nil),
            ("{location: '/data/{date}/{table}', ddl: {location: /data/ddl}, tables: [a]}", "/data/catalog"),
            ("{location: 's3://bkt/x/{table}', ddl: true, tables: [a]}", "s3://bkt/x/catalog"),
            ("{location: 's3://bkt/x/{table}', catalog: records, tables: [a]}", "records"),
            ("{root_location: 's3://bkt/x', catalog: records, tables: [a]}", "s3://bkt/x/records"),
        ] as [(String, String?)]
    )
    func derived(yaml: String, catalog: String?) throws {
        #expect(try catalogs(yaml) == [catalog, catalog])
    }

    @Test("A run of fewer tables records its set where a run of all of them does")
    func fewerTables() throws {
        let yaml = "{tables: {a: {location: data/x}, b: {location: data/y}}, location: 'data/z/{table}'}"
        #expect(try catalogs(yaml) == ["data/catalog", "data/catalog"])
        #expect(try catalogs(yaml, tables: ["c"]) == ["data/catalog", "data/catalog"])
        #expect(try catalogs("{location: 'z/{table}'}", tables: ["c"]) == ["z/catalog", "z/catalog"])
    }

    @Test("A restore of some tables looks where the backup writes, and elsewhere when its files are elsewhere")
    func restore() throws {
        let yaml = "backup: {tables: {a: {location: data/x}, b: {location: data/y}}}\nrestore: {tables: "
        #expect(try catalogs(yaml + "{a: {location: data/x}}}") == ["data/catalog", "data/catalog"])
        #expect(try catalogs(yaml + "{a: {location: copy/x}}}") == ["data/catalog", "copy/x/catalog"])
        #expect(try catalogs(yaml + "{a: {location: data/x}}, catalog: here}") == ["data/catalog", "here"])
    }

    @Test("A variable in the folder is refused")
    func variables() {
        let error = #expect(throws: ConfigurationError.self) { try catalogs("{catalog: 'x/{table}', tables: [a]}") }
        #expect(error?.description.contains("'catalog' has a variable") == true)
    }
}
