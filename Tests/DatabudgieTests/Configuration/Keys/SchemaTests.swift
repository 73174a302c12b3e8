import Testing

@testable import Databudgie

/// Besides these, every configuration that a test of this module reads is checked by the schema: see ``ConfigurationFixture``.
@Suite("The schema of configurations")
struct SchemaTests {
    private func problem(_ yaml: String) throws -> String? {
        SchemaCheck.ours.problem(try ConfigurationFormat.yaml.read(yaml, source: "test.yml"))
    }

    @Test(
        "A value from outside or a reference can be in place of any other value",
        arguments: [
            "jobs: <% ENV[JOBS] %>", "strict: <% ENV[STRICT, false] %>", "compression: <% ENV[C] %>",
            "compression: \"<% ENV[C] %>:<% ENV[LEVEL] %>\"", "exclude: <% ENV[LIST] %>",
            "tables: <% FILE[tables.json] %>",
            "tables: \"{ref.backup.tables}\"", "s3: \"${ref:backup.s3}\"", "url: <% DOCKER_SECRET[url] %>",
            "retention: {keep_daily: '<% ENV[DAYS] %>'}", "transaction: \"{ref.restore.transaction}\"",
            "subset: {start: {a: {limit: '<% ENV[N] %>', sample: '<% ENV[SHARE] %>'}}}", "ddl: <% ENV[DDL] %>",
            "masking: {columns: {c: '<% ENV[MASK] %>'}, policy: '<% ENV[POLICY] %>'}",
            "logging: {level: '<% ENV[LEVEL] %>'}",
        ]
    )
    func outside(yaml: String) throws {
        #expect(try problem(yaml) == nil)
    }

    @Test(
        "What the parser refuses for its type, its word or its name, the schema refuses",
        arguments: [
            "bakcup: {}", "backup: [a]", "backup: {environment: x}", "restore: {masking: {}}",
            "backup: {transaction: all}",
            "tables: [{name: a, url: x}]", "tables: {a: {compresion: gzip}}", "tables: {a: x}", "tables: a",
            "tables: [null]",
            "tables: [[a]]", "location: [a]", "filename: true", "filename: 5", "exclude: a", "exclude: [null]",
            "strict: maybe", "strict: []", "data: 2", "jobs: many", "jobs: 0", "jobs: 65", "jobs: 1.5", "truncate: all",
            "triggers: on", "indexes: drop", "compression: gzp", "compression: gzip:6", "compression: zstd:20",
            "strategy: use_latest_file", "adapter: mysql", "s3: {addressing_style: dns}", "s3: {acess: x}", "s3: x",
            "logging: {level: LOUD}", "logging: true", "idle_in_transaction_timeout: soon",
            "idle_in_transaction_timeout: -1", "retention: {keep_daily: -1}", "retention: {keep_daily: all}",
            "retention: {keep_within: 5}", "retention: {keep_within: 5w}", "max_rejects: -1", "max_rejects: [1]",
            "rename: {tables: {}}", "rename: {table: x}", "rename: {table: {a.b: }}", "safe_hosts: localhost",
            "transaction: each", "require_masked: 7", "url: [a]", "url: {host: h, hots: x}", "url: {drivername: mysql}",
            "connections: x", "connections: [{host: h}]", "subset: {start: []}",
            "subset: {start: {a: null}}", "subset: {start: {a: {wher: x}}}", "subset: {start: {a: x}, crossing: maybe}",
            "subset: {start: {a: x}, references: {b: sideways}}", "subset: {start: {a: {limit: 0}}}",
            "subset: {start: {a: {sample: half}}}", "masking: {policy: lax}", "masking: {columns: [a]}",
            "masking: {columns: {a: emial}}", "masking: {columns: {a: {emial: }}}", "masking: {columns: {a: 5}}",
            "masking: {columns: {a: {truncate: minute}}}", "masking: {columns: {a: {redact: {first: -1}}}}",
            "masking: {columns: {a: {choose: x}}}", "masking: {columns: {a: {mask: city, locale: tlh}}}",
            "ddl: {enable: x}",
            "ddl: maybe", "manifest: 5", "sentry: {dns: x}",
            "notify: https://a", "notify: {urls: x}", "notify: [{url: https://a, events: [end]}]",
            "notify: {command: mail}", "notify: {}", "notify: {command: []}", "notify: {url: ftp://x/y}",
            "notify: {url: 5}",
            "notify: {url: x}", "notify: {url: https://a, events: []}", "notify: {url: https://a, command: [b]}",
            "notify: {healthchecks: https://a, format: text}", "notify: {command: [a], headers: {b: c}}",
            "masking: {columns: {a: {}}}", "masking: {columns: {a: {mask: email, hash: }}}",
            "masking: {columns: {a: {by: b}}}",
            "s3: {server_side_encryption: kms}", "s3: {tags: [a]}", "s3: {request_payer: me}",
        ]
    )
    func wrong(yaml: String) throws {
        #expect(try problem(yaml) != nil, "the schema takes it")
        #expect(!problems(yaml).isEmpty, "the parser takes it")
    }

    @Test("Notes, an empty file, and the address of the schema itself are right")
    func notes() throws {
        for yaml in [
            "x-note: {a: [1]}\ntables: {x-a: 5, a: {x-b: 1}}\nmasking: {columns: {x-c: 5}}", "",
            "$schema: databudgie.schema.json",
        ] {
            #expect(try problem(yaml) == nil)
            #expect(problems(yaml).isEmpty)
        }
    }
}
