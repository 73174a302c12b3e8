import Databudgie
import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import DatabudgieCLI

@Suite("The init command")
struct InitCommandTests {
    private func text(_ shop: Shop, _ name: String = "databudgie.yml") throws -> String {
        try String(contentsOfFile: shop.folder + "/" + name, encoding: .utf8)
    }

    @Test("The file runs as it is: a plan, a backup, and a restore into another database")
    func runs() async throws {
        try await Shop.with { shop in
            let outcome = try await shop.program.run("init", shop.url)
            #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
            #expect(outcome.output.hasPrefix("databudgie.yml is written: 2 tables, "))
            #expect(outcome.output.contains("\n  databudgie check "))
            #expect(outcome.output.contains("\n  databudgie plan backup "))
            #expect(!outcome.output.contains("databudgie.schema.json"))
            #expect(try text(shop).contains("# public: 2 tables, "))
            #expect(try text(shop).hasPrefix("# yaml-language-server: $schema=databudgie.schema.json\n"))
            #expect(try text(shop, "databudgie.schema.json") == ConfigurationSchema.json)

            #expect(try await shop.program.run("plan", "backup").status == 0)
            let backup = try await shop.program.run("backup")
            #expect(backup.status == 0, "\(backup.error)")
            try await PostgresServer.withDatabase { target in
                let url = Shop(parameters: target, folder: shop.folder).url
                let restore = try await shop.program.run("restore", "-u", url)
                #expect(restore.status == 0, "\(restore.error)")
                let copy = Shop(parameters: target, folder: shop.folder)
                #expect(try await copy.value("select count(*) from public.sales") == "500")
            }
            // Without a URL of its own a restore has no database, least of all the source.
            let restore = try await shop.program.run("restore")
            #expect(restore.status == 2 && restore.error.contains("connection"), "\(restore.error)")
        }
    }

    @Test("Names of any kind come back from the file as they are, and views, cycles and tenants are comments")
    func names() async throws {
        try await Shop.with { shop in
            try await shop.execute(
                """
                create schema "we*ird [x] "" é: #";
                create table "we*ird [x] "" é: #"."a b" (id int primary key);
                insert into "we*ird [x] "" é: #"."a b" values (1);
                create schema "weXird [x] "" é: #";
                create table "weXird [x] "" é: #".other (id int);
                create view totals as select count(*) from sales;
                create table tenants (id int primary key, owner_id int);
                create table owners (id int primary key, tenant_id int references tenants);
                alter table tenants add foreign key (owner_id) references owners;
                create table notes (id int primary key, tenant_id int references tenants);
                create table bills (id int primary key, tenant_id int references tenants);
                """
            )
            let outcome = try await shop.program.run("init", "--url", shop.url, "-l", "copies/")
            #expect(outcome.status == 0, "\(outcome.error)")
            let text = try text(shop).replacing("\n# ", with: " ")
            #expect(text.contains("name one to export its rows: public.totals."))
            #expect(text.contains("These refer to one another"))
            #expect(text.contains("3 tables have a column tenant_id"))
            #expect(text.contains("    \"public.tenants\": {sample: 1%}"))
            #expect(text.contains("location: \"copies/{table}\""))
            #expect(!text.contains("{ref."))

            let plan = try await shop.program.run("plan", "backup", "--json")
            #expect(plan.status == 0, "\(plan.error)")
            let json = try #require(try JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [String: Any])
            let tables = try #require(json["tables"] as? [[String: Any]]).compactMap { $0["table"] as? String }
            #expect(tables.contains("we*ird [x] \" é: #.a b") && tables.contains("weXird [x] \" é: #.other"))
            #expect(tables.count == 8)
            #expect(Set(tables).count == 8)
        }
    }

    @Test("What would begin an interpolation or a reference, or is a URL of its own, is just a name")
    func interpolations() async throws {
        try await Shop.with { shop in
            try await shop.execute(
                """
                create schema "<% ENV[HOME] %>";
                create table "<% ENV[HOME] %>"."${ref.backup.url}" (id int);
                create table "<% ENV[HOME] %>"."{{ref:x}" (id int);
                """
            )
            let location = "{{ref.url}}<% ENV[X] %>/{date}/{table}"
            let outcome = try await shop.program.run("init", shop.url, "-l", location)
            #expect(outcome.status == 0, "\(outcome.error)")
            let plan = try await shop.program.run("plan", "backup", "--json")
            #expect(plan.status == 0, "\(plan.error)")
            let json = try #require(try JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [String: Any])
            let tables = try #require(json["tables"] as? [[String: Any]]).compactMap { $0["table"] as? String }
            #expect(
                Set(tables) == [
                    "public.products", "public.sales", "<% ENV[HOME] %>.\"${ref.backup.url}\"",
                    "<% ENV[HOME] %>.{{ref:x}",
                ]
            )
            #expect(try Configuration.load(yaml: text(shop)).backup.tables.count == 2)
            let backup = try await shop.program.run("backup")
            #expect(backup.status == 0, "\(backup.error)")
            #expect(FileManager.default.fileExists(atPath: shop.folder + "/{ref.url}<% ENV[X] %>"))
        }
    }

    @Test("A password is left out of the file, which takes it from the environment")
    func password() async throws {
        try await Shop.with { shop in
            let secret = "ge'heim <% ENV[X] %>: #"
            let url = shop.url + " password='\(secret.replacing("'", with: "\\'"))'"
            let outcome = try await shop.program.run("init", url, "-o", "other.yml")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(outcome.output.contains("set PGPASSWORD in the environment first"))
            #expect(outcome.output.contains("databudgie -c other.yml plan backup"))
            let text = try text(shop, "other.yml")
            #expect(
                text.contains("    password: <% ENV[PGPASSWORD] %>\n") && !text.contains("geheim")
                    && !text.contains("ge'")
            )
            let missing = try await shop.program.run("-c", "other.yml", "plan", "backup")
            #expect(missing.status == 2 && missing.error.contains("PGPASSWORD"))
            var program = shop.program
            program.environment["PGPASSWORD"] = secret
            let plan = try await program.run("-c", "other.yml", "plan", "backup")
            #expect(plan.status == 0, "\(plan.error)")
        }
    }

    @Test("A file that exists is never replaced, under any name that the other commands look for")
    func existing() async throws {
        try await Shop.with { shop in
            let file = URL(filePath: shop.folder + "/databudgie.toml")
            try Data("strict = true\n".utf8).write(to: file)
            let outcome = try await shop.program.run("init", shop.url)
            #expect(outcome.status == 2)
            #expect(outcome.error.hasPrefix("databudgie: error: databudgie.toml exists already\n  hint: "))
            #expect(!FileManager.default.fileExists(atPath: shop.folder + "/databudgie.yml"))
            let named = try await shop.program.run("init", shop.url, "--output", "databudgie.toml")
            #expect(named.status == 2)
            #expect(try Data(contentsOf: file) == Data("strict = true\n".utf8))
        }
    }

    @Test("A file that exists in place of the schema is kept, and said to be another one")
    func existingSchema() async throws {
        try await Shop.with { shop in
            let file = URL(filePath: shop.folder + "/databudgie.schema.json")
            try Data("{}".utf8).write(to: file)
            let outcome = try await shop.program.run("init", shop.url)
            #expect(outcome.status == 0 && outcome.output.contains("\ndatabudgie.schema.json beside it is another one"))
            #expect(try Data(contentsOf: file) == Data("{}".utf8))
        }
    }

    @Test(
        "Options that would change nothing are refused by name",
        arguments: [
            ["-t", "a"], ["-x", "a"], ["--ddl"], ["--no-ddl"], ["-c", "a.yml"], ["--raw-config", "{}"],
            ["--raw-config-format", "yaml"], ["--adapter", "postgres"], ["--strict"], ["--no-strict"], ["--stats"],
        ]
    )
    func unusedOptions(_ arguments: [String]) async throws {
        let long = ["-t": "--table", "-x": "--exclude", "-c": "--config"]
        let name = long[arguments[0]] ?? arguments[0]
        try await withTemporaryFolder { folder in
            let outcome = try await Program(folder: folder).run(["init", "postgresql://127.0.0.1:1/shop"] + arguments)
            #expect(outcome.status == 2 && outcome.output.isEmpty)
            #expect(outcome.error.hasPrefix("databudgie: error: init takes no \(name)\n  hint: "), "\(outcome.error)")
        }
    }

    @Test(
        "Names of other formats, and locations that no backup could use, are refused before anything is asked of a server",
        arguments: [
            (["-o", "o.json"], "o.json: init writes YAML"), (["-o", "o.toml"], "o.toml: init writes YAML"),
            (["-o", "o"], "o: init writes YAML"), (["-l", ""], "--location is empty"),
            (["-l", "s3://key:secret@bucket/x"], "--location has credentials in it"),
            (["-l", "https://key:secret@host/x"], "--location has credentials in it"),
            (["-l", "s3:/bucket"], "--location: the location 's3:/bucket' begins with"),
            (["-l", "s3://b/x"], "--location: the path"), (["-l", "{tabel}"], "--location: "),
        ]
    )
    func refused(_ arguments: [String], _ message: String) async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await Program(folder: folder).run(["init", "postgresql://127.0.0.1:1/shop"] + arguments)
            #expect(outcome.status == 2 && outcome.output.isEmpty)
            #expect(outcome.error.hasPrefix("databudgie: error: " + message), "\(outcome.error)")
            #expect(outcome.error.contains("\n  hint: ") && !outcome.error.contains("secret"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test("--dry-run and the file '-' print the configuration and write nothing")
    func printed() async throws {
        try await Shop.with { shop in
            for arguments in [["--dry-run"], ["-o", "-"]] {
                let outcome = try await shop.program.run(["init", shop.url] + arguments)
                #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
                #expect(try Configuration.load(yaml: outcome.output).backup.tables.count == 1)
                #expect(outcome.output.contains("$schema=") == (arguments == ["--dry-run"]))
                #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder).isEmpty)
            }
        }
    }

    @Test("A location gets a folder for each table only if it has none")
    func location() throws {
        for (given, expected) in [
            ("copies", "copies/{table}"), ("copies//", "copies/{table}"), ("/", "/{table}"),
            ("s3://bucket/x/{table}", "s3://bucket/x/{table}"), ("s3://bucket/{date}", "s3://bucket/{date}/{table}"),
            ("{{table}}", "{{table}}/{table}"),
        ] {
            #expect(try StarterLocation(given).text == expected)
        }
    }

    @Test("A database without tables is a warning, and no size")
    func nothing() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await withTemporaryFolder { folder in
                let shop = Shop(parameters: parameters, folder: folder)
                let outcome = try await shop.program.run("init", shop.url)
                #expect(outcome.status == 0 && outcome.output.hasPrefix("databudgie.yml is written.\n"))
                #expect(outcome.error.hasPrefix("databudgie: warning: the database "), "\(outcome.error)")
                #expect(outcome.error.contains(" has no tables, so there is nothing to back up\n  hint: "))
            }
        }
    }

    @Test("What libpq's variables say of the place is in the file, and the others are named")
    func variables() async throws {
        try await Shop.with { shop in
            let names = ["host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"]
            var program = shop.program
            for (keyword, value) in shop.parameters.keywords {
                if let name = names[keyword] { program.environment[name] = value }
            }
            program.environment["PGPASSWORD"] = "geheim"
            let outcome = try await program.run("init")
            #expect(outcome.status == 0, "\(outcome.error)")
            let text = try text(shop)
            #expect(text.contains("The connection also used PGPASSWORD: set it") && !text.contains("geheim"))
            // Without any of the variables.
            var bare = shop.program
            bare.environment["PGPASSWORD"] = "geheim"
            let plan = try await bare.run("plan", "backup")
            #expect(plan.status == 0, "\(plan.error)")
        }
    }

    @Test("Tables that the role cannot read are excluded and counted, so the first backup succeeds")
    func unreadable() async throws {
        try await Shop.with { shop in
            try await shop.execute(
                """
                create table hidden (id int);
                create table parted (id int) partition by list (id);
                create table parted_open partition of parted for values in (1);
                create table parted_shut partition of parted for values in (2) partition by list (id);
                create table parted_shut_2 partition of parted_shut for values in (2);
                """
            )
            let role = "init_\(UInt32.random(in: 0...UInt32.max))"
            try await shop.execute(
                """
                create role \(role) login;
                grant usage on schema public to \(role);
                grant select on products, sales, parted_open to \(role);
                """
            )
            do {
                let url = shop.url.replacing("user='postgres'", with: "user='\(role)'")
                let outcome = try await shop.program.run("init", url)
                #expect(outcome.output.hasPrefix("databudgie.yml is written: 3 tables, "))
                #expect(outcome.output.contains("4 tables cannot be read by the role \(role), and are excluded."))
                let text = try text(shop)
                for name in ["hidden", "parted", "parted_shut", "parted_shut_2"] {
                    #expect(text.contains("\n  - \"public.\(name)\"\n"))
                }
                #expect(!text.contains("parted_open\"\n") && text.contains(", and 4 excluded"))
                // pg_dump would lock the root of the partition.
                #expect(
                    text.contains("\nddl: false\n")
                        && outcome.output.contains("the role lacks SELECT on public.parted, ")
                )
                let backup = try await shop.program.run("backup")
                #expect(backup.status == 0, "\(backup.error)")
            } catch {
                try await shop.execute("drop owned by \(role); drop role \(role)")
                throw error
            }
            try await shop.execute("drop owned by \(role); drop role \(role)")
        }
    }

    @Test("A database that cannot be reached, and a URL that is none, leave no file")
    func unreachable() async throws {
        try await withTemporaryFolder { folder in
            for (url, status) in [("postgresql://127.0.0.1:1/shop", 1 as Int32), ("shop", 2)] {
                let outcome = try await Program(folder: folder).run("init", url)
                #expect(outcome.status == status && outcome.output.isEmpty, "\(outcome.error)")
                #expect(outcome.errors.count == 1)
                #expect(outcome.error.contains("\n  hint: "), "\(outcome.error)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            }
        }
    }
}
