import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

/// What users see in typical situations, as whole texts: wording is reviewed there, and guides quote from it.
@Suite("Transcripts")
struct TranscriptTests {
    /// Compares a session in a shop with the recorded one.
    private func expect(
        _ name: String,
        _ configuration: String,
        _ session: (Shop, inout Transcript) async throws -> Void
    ) async throws {
        try await Shop.with { shop in
            try shop.configure(configuration)
            var transcript = Transcript(shop)
            try await session(shop, &transcript)
            try expectSnapshot(name, transcript.text, in: "Transcripts")
        }
    }

    @Test("The first contact is without a configuration")
    func firstContact() async throws {
        try await withTemporaryFolder { folder in
            var transcript = Transcript(Program(folder: folder))
            try await transcript.run("databudgie")
            try await transcript.run("databudgie backup")
            try await transcript.run("databudgie restore")
            try await transcript.run("databudgie bakcup")
            try await transcript.run("databudgie backup --tabel public.sales")
            try await transcript.run("databudgie backup postgresql://me:secret@localhost/shop")
            try await transcript.run("databudgie backup --url me:secret@localhost/shop")
            try await transcript.run("databudgie backup --config postgresql://me:secret@localhost/shop")
            try expectSnapshot("first-contact", transcript.text, in: "Transcripts")
        }
    }

    @Test("A backup and a restore say what they did")
    func backupAndRestore() async throws {
        try await expect("backup-and-restore", "truncate: true\ntables: ['public.*']") { _, transcript in
            try await transcript.run("databudgie backup")
            try await transcript.run("databudgie restore")
            try await transcript.run("databudgie backup --stats --location copies/{table}")
        }
    }

    @Test("A restore that merges rows says what became of them")
    func upsert() async throws {
        try await expect("upsert", "mode: upsert\ntables: ['public.*']") { shop, transcript in
            _ = try await shop.program.run("backup")
            try await shop.execute(
                """
                update products set name = 'renamed' where id <= 5;
                delete from sales where id > 480;
                insert into sales values (1000, 1);
                """
            )
            try await transcript.run("databudgie restore")
        }
    }

    @Test("A table fails, and the others are backed up")
    func failedTable() async throws {
        let configuration = """
            tables:
              - {name: public.products, query: "select id, 1 / (id - 7) from {table}"}
              - public.sales
            """
        try await expect("failed-table", configuration + "\n  - public.sails") { shop, transcript in
            try await transcript.run("databudgie backup")
            try shop.configure(configuration)
            try await transcript.run("databudgie backup --strict --location strict/{table}")
        }
    }

    @Test("A target that does not fit the files is found out before a restore")
    func preflight() async throws {
        try await expect("preflight", "truncate: true\ntables: [public.products, public.sales]") { shop, transcript in
            _ = try await shop.program.run("backup")
            try await shop.execute(
                """
                alter table products drop column name;
                create table orders (id integer, sale_id integer references sales);
                insert into orders values (1, 1);
                """
            )
            try await transcript.run("databudgie restore")
        }
    }

    @Test("A restore stops at a table whose rows are refused")
    func refusedRows() async throws {
        try await expect("refused-rows", "strict: true\ntables: [public.products, public.sales]") { shop, transcript in
            _ = try await shop.program.run("backup")
            try await shop.execute("truncate products, sales; alter table sales add check (id < 400)")
            try await transcript.run("databudgie restore")
        }
    }

    @Test("A configuration with mistakes names their lines")
    func wrongKeys() async throws {
        let configuration = """
            manifesto: public.m
            tables:
              - {name: public.sales, compresion: gzip}
              - {name: public.products, compression: rar}
            """
        try await expect("wrong-keys", configuration) { _, transcript in
            try await transcript.run("databudgie backup")
        }
    }

    @Test("A backup and a restore are interrupted, and resumed")
    func interruption() async throws {
        let configuration = """
            manifest: public.m
            tables:
              - public.products
              - {name: public.sales, query: "select *, pg_advisory_xact_lock(42)::text as gate from {table}"}
            """
        try await expect("interrupted", configuration) { shop, transcript in
            try await transcript.run("databudgie backup")
            try await transcript.run("databudgie manifest create")
            try await Connection.withConnection(to: shop.parameters) { blocker in
                try await blocker.withTransaction { blocker in
                    try await blocker.execute("select pg_advisory_xact_lock(42)")
                    try await transcript.interrupt("databudgie backup", whenServerRuns: "as gate")
                }
            }
            try await transcript.run("databudgie backup --backup-id 1")
        }
    }

    @Test("A restore is interrupted, and resumed")
    func interruptedRestore() async throws {
        // A table that may have rows rejected is loaded in a transaction of its own.
        let configuration = """
            manifest: public.m
            truncate: true
            backup: {tables: [public.products, public.sales, public.stock]}
            restore: {tables: [public.products, public.sales, {name: public.stock, max_rejects: 1}]}
            """
        try await expect("interrupted-restore", configuration) { shop, transcript in
            try await shop.execute("create table stock (id integer); insert into stock select generate_series(1, 50)")
            _ = try await shop.program.run("manifest", "create")
            _ = try await shop.program.run("backup")
            try await shop.execute("truncate products, sales")
            try await Connection.withConnection(to: shop.parameters) { blocker in
                try await blocker.withTransaction { blocker in
                    try await blocker.execute("lock table stock in share mode")
                    try await transcript.interrupt(
                        "databudgie restore",
                        whenServerRuns: "stock\" in access exclusive mode"
                    )
                }
            }
            try await transcript.run("databudgie restore --restore-id 2")
        }
    }

    @Test("Dry runs show what would be done")
    func dryRuns() async throws {
        try await expect("dry-runs", "truncate: true\ntables: ['public.*']") { shop, transcript in
            try await transcript.run("databudgie backup --dry-run")
            _ = try await shop.program.run("backup")
            try await transcript.run("databudgie restore --dry-run")
        }
    }

    @Test("A check says what is in order, and what to do about the rest")
    func checks() async throws {
        try await PostgresServer.withRole(named: "reader") { role in
            try await Shop.with { shop in
                try shop.configure("ddl: true\nretention: {keep_last: 3}\ntables: ['public.*']")
                var transcript = Transcript(shop)
                try await transcript.run("databudgie check")
                _ = try await shop.program.run("backup")
                try await shop.execute("grant select on products to \(role)")
                var parameters = shop.parameters
                parameters.keywords["user"] = role
                try Shop(parameters: parameters, folder: shop.folder).configure("tables: ['public.*']")
                try await transcript.run("databudgie check")
                try await transcript.run("databudgie check restore -t public.products")
                try await transcript.run("databudgie check --url postgresql://me@127.0.0.1:1/shop")
                try expectSnapshot("checks", transcript.text, in: "Transcripts")
            }
        }
    }

    @Test("Plans say what would be done, and why")
    func plans() async throws {
        let configuration = """
            exclude: [public.log_*]
            tables:
              - {name: 'public.*', truncate: true}
              - {name: crm.visits, follow_foreign_keys: true}
            """
        try await expect("plans", configuration) { shop, transcript in
            try await shop.execute(
                """
                create schema crm; create table crm.shops (id int primary key);
                create table crm.visits (id serial primary key, shop_id int references crm.shops);
                create table log_a (id int); alter table products add best_sale int references sales;
                insert into crm.shops values (1); analyze crm.shops;
                """
            )
            _ = try await shop.program.run("backup")
            try await shop.execute("create table refunds (sale_id int references sales)")
            try await transcript.run("databudgie plan restore --exclude refunds --exclude log_a")
            try await shop.execute(
                "alter table crm.shops add open boolean not null default true; alter table crm.shops alter open drop default"
            )
            try await transcript.run("databudgie plan restore --exclude refunds --exclude log_a")
        }
    }

    @Test("Details are shown with -v")
    func details() async throws {
        try await expect("details", "truncate: true\ntables: ['public.*']\nexclude: [public.secret*]") {
            shop,
            transcript in
            try await shop.execute("create table secrets (id integer); create table logs (id serial)")
            try await transcript.run("databudgie backup -v")
            try await transcript.run("databudgie restore -v")
        }
    }

    @Test("Machines get one JSON object per line")
    func json() async throws {
        let configuration = """
            tables:
              - public.products
              - {name: public.sales, query: "select 1 / 0 from {table}"}
            """
        try await expect("json", configuration) { _, transcript in
            try await transcript.run("databudgie backup --log-format json")
            try await transcript.run("databudgie restore --log-format json --restore-id 1")
            try await transcript.run("databudgie backup --log-format json --tabel public.sales")
        }
    }

    @Test("Sets are listed and shown")
    func sets() async throws {
        try await expect("sets", "compression: gzip\ntables: ['public.*']") { shop, transcript in
            try await transcript.run("databudgie list")
            try await transcript.run("databudgie backup")
            try await transcript.run("databudgie list")
            try await transcript.run("databudgie show")
            try await transcript.run("databudgie show latest --table products")
            try await transcript.run("databudgie show --format duckdb --table products")
            try await transcript.run("databudgie show --format psql --table products")
            try await transcript.run("databudgie show 1999")
            try await transcript.run("databudgie list --adopt")
        }
    }

    @Test("A server cannot be reached, or is not Postgres")
    func unreachable() async throws {
        try await expect("unreachable", "tables: [public.sales]") { _, transcript in
            try await transcript.run("databudgie backup --url postgresql://me:secret@127.0.0.1:1/shop")
            try await transcript.run("databudgie restore --url mysql://me:secret@localhost/shop")
        }
    }

    @Test("A database is not dropped without a confirmation")
    func refusedClean() async throws {
        try await expect("clean-without-confirmation", "ddl: true\ntables: ['public.*']") { shop, transcript in
            _ = try await shop.program.run("backup")
            try await transcript.run("databudgie restore --clean")
            try await transcript.run("databudgie restore --clean --no-ddl --yes")
        }
    }

    @Test("Sets are verified, before and after files were damaged")
    func verification() async throws {
        try await expect("verify", "compression: gzip\ntables: ['public.*']") { shop, transcript in
            _ = try await shop.program.run("backup")
            try await transcript.run("databudgie verify --jobs 1")
            try await transcript.run("databudgie verify --level files")
            let files = try shop.files().filter { $0.hasSuffix(".csv.gz") }
            let (products, sales) = (try #require(files.first), try #require(files.last))
            var bytes = try Data(contentsOf: URL(filePath: "\(shop.folder)/\(sales)"))
            bytes[100] ^= 1
            try bytes.write(to: URL(filePath: "\(shop.folder)/\(sales)"))
            try FileManager.default.removeItem(atPath: "\(shop.folder)/\(products)")
            try await transcript.run("databudgie verify --jobs 1")
            try await transcript.run("databudgie verify --all --level files --log-format json")
            try await transcript.run("databudgie verify --all latest")
        }
    }

    @Test("Sets are restored in drills, before and after rows were orphaned")
    func drills() async throws {
        let configuration = "ddl: true\ntables: {public.products: {}, public.sales: {skip_if_exists: true}}"
        try await expect("drills", configuration) { shop, transcript in
            try await shop.execute("delete from sales where id > 3; delete from products where id > 4")
            _ = try await shop.program.run("backup")
            try await transcript.run("databudgie verify --jobs 1 --level restore --against-source")
            try await shop.execute("update products set name = 'other' where id = 1")
            try await transcript.run("databudgie verify --jobs 1 --level restore --against-source")
            try await shop.execute("delete from sales; delete from products where id = 2")
            _ = try await shop.program.run("backup")
            try await transcript.run("databudgie verify --jobs 1 --level restore")
            try await transcript.run("databudgie verify --level restore --into drills")
            try await transcript.run("databudgie verify --against-source")
            let records = try FileManager.default.contentsOfDirectory(atPath: "\(shop.folder)/backups/catalog")
            let ids = Set(records.map { $0.prefix(19).lowercased().filter { $0 != "-" && $0 != ":" } })
            #expect(ids.count == 2)
            for id in ids {
                let leftovers = "select count(*) from pg_database where datname like 'databudgie\\_drill\\_\(id)%'"
                #expect(try await shop.value(leftovers) == "0")
            }
        }
    }
}
