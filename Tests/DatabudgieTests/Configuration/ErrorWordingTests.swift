import Testing

@testable import Databudgie

@Suite("Configuration errors")
struct ErrorWordingTests {
    @Test(
        "Each problem is one line that names the place, the key and what to do",
        arguments: [
            (
                "tables: {a: {compresion: gzip}}",
                "test.yaml:1: unknown key 'compresion' in a table entry; did you mean 'compression'?"
            ),
            ("\nbakcup: {}", "test.yaml:2: unknown key 'bakcup' at the root; did you mean 'backup'?"),
            ("backup: {Tables: []}", "test.yaml:1: unknown key 'Tables' in 'backup'; did you mean 'tables'?"),
            (
                "restore: {zzz: 1}",
                "test.yaml:1: unknown key 'zzz' in 'restore'; remove it, or begin its name with 'x-' to keep it as a note"
            ),
            (
                "tables: [{name: a, url: x}]",
                "test.yaml:1: unknown key 'url' in a table entry; it belongs in 'backup', in 'restore' or at the root"
            ),
            ("backup: {environment: x}", "test.yaml:1: unknown key 'environment' in 'backup'; it belongs at the root"),
            (
                "s3: {aws_acess_key_id: x}",
                "test.yaml:1: unknown key 'aws_acess_key_id' in 's3'; did you mean 'aws_access_key_id'?"
            ),
            ("ddl: {enable: x}", "test.yaml:1: unknown key 'enable' in 'ddl'; did you mean 'enabled'?"),
            (
                "logging: {lvl: x}",
                "test.yaml:1: unknown key 'lvl' in 'logging'; remove it, or begin its name with 'x-' to keep it as a note"
            ),
            ("backup: [a]", "test.yaml:1: 'backup' must be a mapping, not a list"),
            ("location: [a]", "test.yaml:1: 'location' must be a string, not a list"),
            ("filename: true", "test.yaml:1: 'filename' must be a string, not true or false"),
            ("exclude: a", "test.yaml:1: 'exclude' must be a list, not a string"),
            ("exclude:\n- {}", "test.yaml:2: 'exclude' must be a string, not a mapping"),
            ("exclude: [null]", "test.yaml:1: 'exclude' must be a list of strings, not null"),
            ("strict: maybe", "test.yaml:1: 'strict' must be true or false, not 'maybe'"),
            ("strict: []", "test.yaml:1: 'strict' must be true or false, not a list"),
            ("jobs: many", "test.yaml:1: 'jobs' must be a whole number, not 'many'"),
            ("jobs: 0", "test.yaml:1: 'jobs' must be a number from 1 to 64, not 0"),
            ("backup: {jobs: 65}", "test.yaml:1: 'jobs' must be a number from 1 to 64, not 65"),
            ("data: 2", "test.yaml:1: 'data' must be true or false, not '2'"),
            ("truncate: all", "test.yaml:1: 'truncate' must be true, false or cascade, not 'all'"),
            ("triggers: on", "test.yaml:1: 'triggers' cannot be 'on'; use one of auto, off, fire"),
            ("indexes: drop", "test.yaml:1: 'indexes' cannot be 'drop'; use one of auto, keep, rebuild"),
            ("foreign_keys: off", "test.yaml:1: 'foreign_keys' cannot be 'off'; use one of auto, keep, rebuild"),
            ("foreign_keyz: keep", "test.yaml:1: unknown key 'foreign_keyz' at the root; did you mean 'foreign_keys'?"),
            ("compression: gzp", "test.yaml:1: 'compression' cannot be 'gzp'; did you mean 'gzip'?"),
            (
                "compression: gzip:6",
                "test.yaml:1: 'compression' cannot be 'gzip' with the level 6; use gzip, or a level from gzip:1 to gzip:3"
            ),
            (
                "compression: zst:9",
                "test.yaml:1: 'compression' cannot be 'zst' with the level 9; did you mean 'zstd:9'?"
            ),
            (
                "compression: lz4:1",
                "test.yaml:1: 'compression' cannot be 'lz4' with the level 1; use one of gzip, zstd"
            ),
            ("compression: lzma", "test.yaml:1: 'compression' cannot be 'lzma'; use one of gzip, zstd"),
            (
                "strategy: use_latest_file",
                "test.yaml:1: 'strategy' cannot be 'use_latest_file'; did you mean 'use_latest_filename'?"
            ),
            (
                "s3: {addressing_style: dns}",
                "test.yaml:1: 'addressing_style' cannot be 'dns'; use one of auto, path, virtual"
            ),
            (
                "s3: {server_side_encryption: aes256}",
                "test.yaml:1: 'server_side_encryption' cannot be 'aes256'; use one of AES256, aws:kms, aws:kms:dsse"
            ),
            (
                "s3: {server_side_encryption: 'aws:kmss'}",
                "test.yaml:1: 'server_side_encryption' cannot have this value; did you mean 'aws:kms'?"
            ),
            (
                "s3: {server_side_encryption: AES256,\n sse_kms_key_id: alias/backup}",
                "test.yaml:2: 'sse_kms_key_id' has no effect without an encryption by KMS; "
                    + "set 'server_side_encryption' to aws:kms or aws:kms:dsse, or remove the key"
            ),
            (
                "s3: {sse_kms_key_id: alias/backup}",
                "test.yaml:1: 'sse_kms_key_id' has no effect without an encryption by KMS; "
                    + "set 'server_side_encryption' to aws:kms or aws:kms:dsse, or remove the key"
            ),
            (
                "s3: {server_side_encryption: 'aws:kms', sse_kms_key_id: my key}",
                "test.yaml:1: 'sse_kms_key_id' cannot have spaces or other characters than those of ASCII; "
                    + "write the id, the ARN or the alias of a key"
            ),
            (
                "s3: {storage_class: standard ia}",
                "test.yaml:1: 'storage_class' cannot be 'standard ia'; write the name of a storage class, such as STANDARD_IA"
            ),
            ("s3: {tags: [a]}", "test.yaml:1: 'tags' must be a mapping, not a list"),
            (
                "s3: {tags: {team: }}",
                "test.yaml:1: the tag 'team' in 'tags' has no value; give it one, write '' for an empty one, or remove it"
            ),
            ("s3: {tags: {team: [a]}}", "test.yaml:1: 'team' must be a string, not a list"),
            (
                "s3: {tags:\n  {'aws:team': a}}",
                "test.yaml:2: the tag 'aws:team' in 'tags' begins with 'aws:', which is reserved; "
                    + "change it: S3 would refuse every file"
            ),
            (
                "s3: {tags: {'a': 'x&y'}}",
                "test.yaml:1: the tag 'a' in 'tags' has other characters than letters, digits, spaces and "
                    + "+ - = . _ : / @; change it: S3 would refuse every file"
            ),
            (
                "s3: {tags: {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, k: 1}}",
                "test.yaml:1: 'tags' has 11 tags, and S3 takes 10 for an object; remove some"
            ),
            ("s3: {request_payer: me}", "test.yaml:1: 'request_payer' cannot be 'me'; use one of requester"),
            ("adapter: mysql", "test.yaml:1: 'adapter' cannot be 'mysql'; use postgres or postgresql, or remove it"),
            (
                "logging: {level: LOUD}",
                "test.yaml:1: 'level' cannot be 'LOUD'; use one of DEBUG, INFO, WARNING, ERROR, CRITICAL"
            ),
            (
                "idle_in_transaction_timeout: 1e300",
                "test.yaml:1: 'idle_in_transaction_timeout' cannot be more than 2147483 seconds; write 0 for no limit"
            ),
            (
                "idle_in_transaction_timeout: soon",
                "test.yaml:1: 'idle_in_transaction_timeout' must be a number of seconds"
            ),
            (
                "idle_in_transaction_timeout: -1",
                "test.yaml:1: 'idle_in_transaction_timeout' must be a number of seconds"
            ),
            (
                "retention: {}",
                "test.yaml:1: 'retention' keeps no set; give at least one of keep_last, keep_hourly, keep_daily, "
                    + "keep_weekly, keep_monthly, keep_yearly, keep_within"
            ),
            (
                "{backup: {retention: {keep_daily: 1}},\nretention: {keep_last: 0, keep_within: 0d, keep_daily: null}}",
                "test.yaml:2: 'retention' keeps no set; give at least one of keep_last, keep_hourly, keep_daily, "
                    + "keep_weekly, keep_monthly, keep_yearly, keep_within"
            ),
            (
                "{transaction: each, tables: {a: {transaction: all}}}",
                "test.yaml:1: unknown key 'transaction' in a table entry; it belongs in 'restore' or at the root"
            ),
            ("safe_hosts: localhost", "test.yaml:1: 'safe_hosts' must be a list, not a string"),
            ("safe_hosts: ['']", "test.yaml:1: 'safe_hosts' has an empty name; remove it"),
            (
                "tables: {a: {safe_hosts: []}}",
                "test.yaml:1: unknown key 'safe_hosts' in a table entry; it belongs in 'restore' or at the root"
            ),
            ("max_rejects: -1", "test.yaml:1: 'max_rejects' must be a whole number, not '-1'"),
            ("max_rejects: [1]", "test.yaml:1: 'max_rejects' must be a whole number, not a list"),
            ("rename: [a]", "test.yaml:1: 'rename' must be a mapping, not a list"),
            ("rename: {tables: {}}", "test.yaml:1: unknown key 'tables' in 'rename'; did you mean 'table'?"),
            ("rename: {table: x}", "test.yaml:1: 'table' in 'rename' must be a mapping, not a string"),
            (
                "rename: {table: {a.b: }}",
                "test.yaml:1: 'rename': 'a.b' has no new name; give it one, or remove it"
            ),
            (
                "rename: {schema: {'p*': x}}",
                "test.yaml:1: 'rename': several names that 'p*' matches would become 'x'; "
                    + "write one '*' for each wildcard of the name"
            ),
            ("transaction: each", "test.yaml:1: 'transaction' cannot be 'each'; use one of group, all"),
            (
                "backup: {transaction: all}",
                "test.yaml:1: unknown key 'transaction' in 'backup'; it belongs in 'restore' or at the root"
            ),
            ("retention: 7", "test.yaml:1: 'retention' must be a mapping, not a number"),
            (
                "retention: {keep_dayly: 7}",
                "test.yaml:1: unknown key 'keep_dayly' in 'retention'; did you mean 'keep_daily'?"
            ),
            (
                "restore: {retention: {keep_daily: 7}}",
                "test.yaml:1: unknown key 'retention' in 'restore'; it belongs in 'backup' or at the root"
            ),
            (
                "tables: {a: {retention: {keep_daily: 7}}}",
                "test.yaml:1: unknown key 'retention' in a table entry; it belongs in 'backup' or at the root"
            ),
            (
                "retention: {keep_daily: -1}",
                "test.yaml:1: 'keep_daily' must be a positive integer or unlimited, not '-1'; "
                    + "write unlimited to keep all"
            ),
            (
                "retention: {keep_last: 1.5}",
                "test.yaml:1: 'keep_last' must be a positive integer or unlimited, not '1.5'"
            ),
            (
                "retention: {keep_last: [1]}",
                "test.yaml:1: 'keep_last' must be a positive integer or unlimited, not a list"
            ),
            (
                "retention: {keep_within: 7}",
                "test.yaml:1: 'keep_within' cannot be '7'; write a length of time such as 36h, 7d or 2y5m7d3h"
            ),
            ("tables: a", "test.yaml:1: 'tables' must be a list or a mapping, not a string"),
            ("tables:\n- [a]", "test.yaml:2: an element of 'tables' must be a name or a mapping, not a list"),
            ("tables:\n- null", "test.yaml:2: an element of 'tables' must be a name or a mapping, not null"),
            ("tables: {a: 1}", "test.yaml:1: the options of the table 'a' must be a mapping, not a number"),
            ("tables: [{name: '', query: q}]", "test.yaml:1: 'name' is empty; remove it to use its default"),
            ("query: ''", "test.yaml:1: 'query' is empty; remove it to use its default"),
            ("query: 17", "test.yaml:1: 'query' must be a string, not a number"),
            ("tables: [{name: a, query: 1.5}]", "test.yaml:1: 'query' must be a string, not a number"),
            ("query: true", "test.yaml:1: 'query' must be a string, not true or false"),
            ("query: {select: 1}", "test.yaml:1: 'query' must be a string, not a mapping"),
            ("filename: 17", "test.yaml:1: 'filename' must be a string, not a number"),
            ("ddl: {filename: 17}", "test.yaml:1: 'filename' must be a string, not a number"),
            ("manifest: 17", "test.yaml:1: 'manifest' must be a string, not a number"),
            ("s3: {endpoint_url: 17}", "test.yaml:1: 'endpoint_url' must be a string, not a number"),
            (
                "location: '{tabel}'",
                "test.yaml:1: 'location': unknown variable '{tabel}' (in '{tabel}'); use one of {table}, {timestamp}, {date}, {ext}, or write '{{' and '}}' for literal braces"
            ),
            ("url: x: y", "test.yaml:1: bad YAML: mapping values are not allowed in this context (column 7)"),
        ]
    )
    func wording(yaml: String, line: String) {
        #expect(problems(yaml).contains(line), "\(problems(yaml))")
    }

    @Test("A retention with other problems is not called empty besides")
    func retentionOnce() {
        #expect(problems("retention: {keep_daily: -2}").count == 1)
        #expect(problems("retention: {keep_dayly: 2}").count == 1)
    }

    @Test("All problems of a configuration are reported together, each once")
    func together() {
        let found = problems("strict: maybe\ntables:\n  a: {colour: red}\n  b: {compression: zip}\nurl: nowhere")
        #expect(
            Set(found) == [
                "test.yaml:1: 'strict' must be true or false, not 'maybe'",
                "test.yaml:3: unknown key 'colour' in a table entry; remove it, or begin its name with 'x-' to keep it as a note",
                "test.yaml:4: 'compression' cannot be 'zip'; did you mean 'gzip'?",
                "test.yaml:5: there is no connection 'nowhere'; write a URL such as postgresql://user@host/database, "
                    + "or add it to 'connections'",
            ]
        )
        #expect(found.count == 4)
    }

    @Test("A message never spans lines, whatever a key holds")
    func oneLine() {
        let found = problems("\"a\\nb\": 1\n\"strict\": \"x\\r\\ny\"")
        #expect(found.count == 2)
        #expect(!found.contains { $0.contains { $0.isNewline } })
    }

    @Test("Place, message and hint of each problem are there apart")
    func parts() throws {
        let error = try #require(
            throws: ConfigurationError.self,
            performing: { try configuration("bakcup: {}\nstrict: maybe") }
        )
        #expect(error.problems.map(\.place) == ["test.yaml:1", "test.yaml:2"])
        #expect(
            error.problems.map(\.message) == [
                "unknown key 'bakcup' at the root", "'strict' must be true or false, not 'maybe'",
            ]
        )
        #expect(error.problems.map(\.hint) == ["did you mean 'backup'?", nil])
        #expect(error.problems.first?.messageWithPlace == "test.yaml:1: unknown key 'bakcup' at the root")
        #expect(error.message == "unknown key 'bakcup' at the root")
        #expect(error.hint == "did you mean 'backup'?")
        #expect(error.place == "test.yaml:1")
        #expect(error.description == error.lines.joined(separator: "\n"))
    }

    @Test("An error has the kind of its first problem")
    func codes() throws {
        func code(_ yaml: String) -> ConfigurationError.Code? {
            #expect(throws: ConfigurationError.self) { try configuration(yaml) }?.code
        }
        #expect(code("a: 1") == .unknownKey)
        #expect(code("strict: x") == .wrongType)
        #expect(code("compression: x") == .invalidValue)
        #expect(code("query: '{x}'") == .invalidTemplate)
        #expect(code("url: '{ref.x}'") == .invalidReference)
        #expect(code("url: <% ENV[x] %>") == .missingValue)
        #expect(code("[") == .invalidSyntax)
    }

    @Test("The nearest name is found by edit distance, and none when none is near")
    func suggestions() {
        let names = ["compression", "location", "name", "data"]
        #expect(KeySuggestion.nearest(to: "comprssion", among: names) == "compression")
        #expect(KeySuggestion.nearest(to: "naem", among: names) == "name")
        #expect(KeySuggestion.nearest(to: "filename", among: names) == "name")
        #expect(KeySuggestion.nearest(to: "zzz", among: names) == nil)
        #expect(KeySuggestion.distance(Array("abcd".utf8), Array("acbd".utf8)) == 1)
        #expect(KeySuggestion.distance(Array("".utf8), Array("ab".utf8)) == 2)
    }
}
