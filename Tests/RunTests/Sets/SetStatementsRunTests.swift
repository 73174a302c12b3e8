import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Subprocess
import Testing

@testable import Databudgie

@Suite("Statements that read a set in another program")
struct SetStatementsRunTests {
    /// One row of each kind of value: ordinary, extreme, empty, NULL.
    private static let schema = """
        create schema shop;
        create type shop.mood as enum ('', 'it''s');
        create table shop.every (id int primary key, b boolean, i2 smallint, i8 bigint, r real, d double precision,
            n numeric(38, 10), plain numeric, big numeric(50, 2), t text, v varchar(9), c char(4), by bytea, dt date, tm time(2),
            tz timetz, ts timestamp(3), tstz timestamptz, iv interval, u uuid, j json, jb jsonb, a int[], ta text[],
            m shop.mood, ip inet, o oid, bits bit varying(5), x "char", g int generated always as (id * 2) stored);
        insert into shop.every values
          (1, true, -32768, 9223372036854775807, 'NaN', 'Infinity', 1234567890123456789012345678.0123456789, 1e50, 1, 'a', 'b',
            'c', '\\x00ff41', '2026-01-02', '24:00', '03:04:05+02', '2026-01-02 03:04:05.123', '2026-01-02 03:04:05.5+05:30',
            '1 year 2 mons -3 days 04:05:06.7', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"k": [1, "é"]}', '{"k": null}',
            '{1,NULL}', '{a,"b,c",""}', 'it''s', '10.0.0.1/8', 4294967295, '101', 'x'),
          (2, false, 0, 0, 1e-30, 1e-300, 0, 0, 0, '', '', '', '', '0044-03-15 BC', '00:00', '00:00Z', '0044-03-15 12:00 BC',
            '0044-03-15 12:00Z BC', '-1 day +02:03:04', null, '""', '{}', '{}', '{}', '', null, 0, '', ''),
          (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
            null, null, null, null, null, null, null, null, null),
          (4, null, null, null, null, null, null, null, null, E'line\\nbreak\\r\\nand\\rone', E'q"u''o,t', E' \\t', null, 'infinity', null,
            null, '-infinity', 'infinity', null, null, null, null, null, null, null, null, null, null, null),
          (5, null, null, null, null, null, null, null, null, E'\\\\.', E'\\\\N', null, null, null, null, null, null, null, null, null,
            null, null, null, null, null, null, null, null, null);
        create table shop."S'pe[c]*i?a""l" ("A" text, "a" text, "ä" text, "a.b" text, "x;--" text);
        insert into shop."S'pe[c]*i?a""l" select 'A' || i, 'a' || i, null, '', E'1\\n2' from generate_series(1, 20000) i;
        create table shop.one (v text);
        insert into shop.one values ('a'), (null), (''), (null);
        create table shop.none ();
        insert into shop.none default values;
        """

    private func set(_ fixture: RunFixture, _ compression: String) async throws -> StoredSet {
        try await fixture.execute(fixture.source, Self.schema)
        let yaml = """
            {root_location: "\(fixture.folder)/it's [a] fol*der", location: '{table}', compression: \(compression), tables: {
              'shop.*': {}, days: {location: days, query: "select 1 as x, null::text as \\"X\\", '' as \\"?\\""}}}
            """
        let report = try await fixture.backup(yaml)
        #expect(report.failed.isEmpty)
        return try await SetLookup(try fixture.configuration(yaml)).find()
    }

    private func script(_ set: StoredSet, _ program: SetStatements.Program) throws -> String {
        try SetStatements(set, for: program).pieces().joined()
    }

    @Test(
        "DuckDB reads every value with its type: NULL and '' survive, line breaks and quotes too",
        .enabled(if: Python.path != nil, "DuckDB is not there"),
        arguments: ["null", "gzip", "zstd"]
    )
    func duckDB(_ compression: String) async throws {
        try await RunFixture.with { fixture in
            let set = try await set(fixture, compression)
            try fixture.write(try script(set, .duckdb), to: "views.sql")
            let program = """
                import duckdb, json, sys
                db = duckdb.connect()
                db.execute("set timezone = 'UTC'")
                db.execute(open(sys.argv[1]).read())
                every = db.sql('from shop.every order by id')
                print(json.dumps([str(t) for t in every.types]))
                text = db.sql('select columns(*)::varchar from (from shop.every order by id)').fetchall()
                print(json.dumps(text))
                print(json.dumps([b.hex() if b is not None else None for b, in db.sql('select "by" from shop.every order by id').fetchall()]))
                special = db.sql('''from shop."S'pe[c]*i?a""l" order by 1''').fetchall()
                print(json.dumps([len(special), special[0]]))
                print(json.dumps(db.sql('from shop.one').fetchall()))
                print(json.dumps(db.sql('from days').fetchall()))
                """
            let result = try await run(
                .name("env"),
                arguments: [try #require(Python.path), "-c", program, fixture.folder + "/views.sql"],
                output: .string(limit: 1 << 20),
                error: .string(limit: 1 << 20)
            )
            #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
            let texts = result.standardOutput.split(separator: "\n").map(String.init)
            try #require(texts.count == 6, "\(result.standardOutput)")
            let lines = try texts.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
            #expect(
                lines[0] as? [String] == [
                    "INTEGER", "BOOLEAN", "SMALLINT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(38,10)", "VARCHAR",
                    "VARCHAR",
                    "VARCHAR", "VARCHAR", "VARCHAR", "BLOB", "DATE", "TIME", "TIME WITH TIME ZONE", "TIMESTAMP",
                    "TIMESTAMP WITH TIME ZONE", "INTERVAL", "UUID", "JSON", "JSON", "VARCHAR", "VARCHAR", "VARCHAR",
                    "VARCHAR",
                    "UINTEGER", "VARCHAR", "VARCHAR", "INTEGER",
                ]
            )
            try expectValues(try #require(lines[1] as? [[Any]]).map { $0.map { $0 as? String } })
            #expect(texts[2] == #"["00ff41", "", null, null, null]"#)
            #expect(texts[3] == #"[20000, ["A1", "a1", null, "", "1\n2"]]"#)
            #expect(texts[4] == #"[["a"], [null], [""], [null]]"#)
            #expect(texts[5] == #"[[1, null, ""]]"#)
        }
    }

    private func expectValues(_ rows: [[String?]]) throws {
        try #require(rows.count == 5)
        #expect(
            rows[0] == [
                "1", "true", "-32768", "9223372036854775807", "nan", "inf", "1234567890123456789012345678.0123456789",
                "1" + String(repeating: "0", count: 50), "1.00", "a", "b", "c   ", "\\x00\\xFFA", "2026-01-02",
                "24:00:00",
                "03:04:05+02", "2026-01-02 03:04:05.123", "2026-01-01 21:34:05.5+00",
                "1 year 2 months -3 days 04:05:06.7",
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{\"k\": [1, \"é\"]}", "{\"k\": null}", "{1,NULL}",
                "{a,\"b,c\",\"\"}",
                "it's", "10.0.0.1/8", "4294967295", "101", "x", "2",
            ]
        )
        #expect(
            rows[1] == [
                "2", "false", "0", "0", "1e-30", "1e-300", "0.0000000000", "0", "0.00", "", "", "    ", "",
                "0044-03-15 (BC)",
                "00:00:00", "00:00:00+00", "0044-03-15 (BC) 12:00:00", "0044-03-15 (BC) 12:00:00+00", "-1 day 02:03:04",
                nil,
                "\"\"", "{}", "{}", "{}", "", nil, "0", "", "", "4",
            ]
        )
        #expect(rows[2].dropFirst().dropLast().allSatisfy { $0 == nil })
        #expect(rows[3][9...11] == ["line\nbreak\r\nand\rone", "q\"u'o,t", " \t  "])
        #expect(rows[3][13] == "infinity" && rows[3][16] == "-infinity" && rows[3][17] == "infinity")
        #expect(rows[4][9...10] == ["\\.", "\\N"])
    }

    /// Runs a script of psql's in the target.
    private func psql(_ fixture: RunFixture, _ set: StoredSet, path: String? = nil) async throws -> String? {
        try fixture.write(try script(set, .psql), to: "tables.sql")
        let target = fixture.target.keywords.map { "\($0)='\($1)'" }.joined(separator: " ")
        var environment = Environment.inherit
        if let path { environment = environment.updating(["PATH": path]) }
        let result = try await run(
            .name("psql"),
            arguments: ["--no-psqlrc", "--quiet", "--file=\(fixture.folder)/tables.sql", "--dbname=\(target)"],
            environment: environment,
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        return result.terminationStatus.isSuccess ? nil : result.standardError
    }

    /// Expects a query to have the same rows in both databases.
    private func expectEqual(_ fixture: RunFixture, _ query: String) async throws {
        let expected = try await fixture.rows(fixture.source, query)
        #expect(try await fixture.rows(fixture.target, query) == expected)
    }

    @Test("psql loads every table with the recorded types", arguments: ["null", "gzip", "zstd"])
    func psql(_ compression: String) async throws {
        try await RunFixture.with { fixture in
            let set = try await set(fixture, compression)
            try await fixture.execute(fixture.target, "create schema shop; create type shop.mood as enum ('', 'it''s')")
            #expect(try await psql(fixture, set) == nil)
            let queries = ["every t order by id", "\"S'pe[c]*i?a\"\"l\" t order by 1", "one t order by v"].map {
                "select md5(string_agg(t::text, ';')) from (select * from shop.\($0)) t"
            }
            for query in queries + ["select count(*) from shop.none"] {
                try await expectEqual(fixture, query)
            }
            #expect(try await fixture.rows(fixture.target, "select * from days") == ["1|NULL|"])
            let types = """
                select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute
                where attrelid = 'shop.every'::regclass and attnum > 0 order by attnum
                """
            try await expectEqual(fixture, types)
        }
    }

    @Test("psql loads tables whatever their names and columns are")
    func hostileNames() async throws {
        try await RunFixture.with { fixture in
            var hostile = HostileText(seed: 7)
            var tables: [String] = []
            while tables.count < 12 {
                let (schema, table, column) = (hostile.identifier(), hostile.identifier(), hostile.identifier())
                // Such a line ends a file for psql before version 18, even in a value.
                guard !(schema + table + column).contains("\\.") else { continue }
                try await fixture.execute(
                    fixture.source,
                    """
                    create schema \(schema); create table \(schema).\(table) (\(column) text);
                    insert into \(schema).\(table) values ('a'), (null), ('')
                    """
                )
                tables.append("\(schema).\(table)")
            }
            let yaml = fixture.yaml("['*.*']")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let set = try await SetLookup(try fixture.configuration(yaml)).find()
            #expect(set.record.tables.count == 12)
            #expect(try await psql(fixture, set) == nil)
            for table in tables {
                let query = "select t from \(table) t order by t"
                try await expectEqual(fixture, query)
            }
        }
    }

    @Test("psql loads nothing when a file does not have the recorded rows")
    func missingRows() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table a (x int); create table b as select 1 as x")
            let yaml = fixture.yaml("[public.a, public.b]")
            _ = try await fixture.backup(yaml)
            let set = try await SetLookup(try fixture.configuration(yaml)).find()
            let path = try #require(set.record.tables.first { $0.name == "b" }?.file?.path)
            try fixture.write("x\n", to: path)
            let error = try await psql(fixture, set)
            #expect(
                error?.contains("public.b: the file does not have the 1 rows of the record") == true,
                "\(error ?? "")"
            )
            #expect(
                try await fixture.rows(fixture.target, "select count(*) from pg_class where relname in ('a', 'b')") == [
                    "0"
                ]
            )
        }
    }

    @Test("psql reads files in S3 with the AWS command line, and notices a download that breaks off")
    func s3() async throws {
        try await RunFixture.with { fixture in
            try await S3Server.shared.withFolder { folder in
                try await fixture.execute(
                    fixture.source,
                    "create table \"it's\" as select generate_series(1, 1000) as x"
                )
                let configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', compression: gzip, tables: ['public.*']}"
                )
                let environment = RunEnvironment(variables: try await S3Server.shared.environment)
                _ = try await BackupRun(configuration, environment: environment).run()
                let set = try await SetLookup(configuration, environment: environment).find()
                let file = try #require(set.record.tables[0].file)
                let storage = S3Storage(options: try await S3Server.shared.options(), environment: [:])
                let bytes = try await storage.read(try set.path(of: file.path)).collect(upTo: 1 << 20)
                try await storage.shutdown()
                try fixture.write(Data(bytes), to: "object")
                let download = """
                    [ "$*" = "s3 cp --only-show-errors \(try set.path(of: file.path)) -" ] || exit 2
                    cat \(fixture.folder)/object
                    """
                let broken = try fixture.path(withFake: "aws", download + "\nexit 1\n")
                #expect(try await psql(fixture, set, path: broken) != nil)
                #expect(try await fixture.rows(fixture.target, "select to_regclass('\"it''s\"')") == ["NULL"])
                let whole = try fixture.path(withFake: "aws", download + "\n")
                #expect(try await psql(fixture, set, path: whole) == nil)
                #expect(try await fixture.rows(fixture.target, "select sum(x) from \"it's\"") == ["500500"])
            }
        }
    }
}
