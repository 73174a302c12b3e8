#if DATABUDGIE_FAIL_POINTS
    import DatabudgieTestSupport
    import Foundation
    import Postgres
    import Testing

    @testable import Databudgie

    @Suite("Restores that are killed", .timeLimit(.minutes(15)))
    struct KilledRestoreTests {
        private static let tables = """
            create table customers (id int generated always as identity primary key, name text);
            create table orders (id serial primary key, customer_id int constraint customer references customers);
            create table single (id int primary key, note text);
            """

        private static let oldRows = """
            truncate customers, orders, single restart identity;
            insert into customers (name) select 'old ' || n from generate_series(1, 3) n;
            insert into orders (customer_id) select n from generate_series(1, 3) n;
            insert into single values (1, 'old');
            """

        private static let newRows = """
            insert into customers (name) select 'new ' || n from generate_series(1, 20) n;
            insert into orders (customer_id) select n % 20 + 1 from generate_series(1, 50) n;
            insert into single select n, 'new' from generate_series(1, 10) n;
            """

        /// The tables that are restored together, and the sequences of theirs.
        private static let groups =
            [(tables: ["customers", "orders"], sequences: ["customers_id_seq", "orders_id_seq"])]
            + [(tables: ["single"], sequences: [])]

        private static let names = "tables: [public.customers, public.orders, public.single]\nmanifest: public.manifest"

        static let loads: [CrashMoment] =
            [
                .groupUntouched, .groupEmptied, .tableLoaded, .groupUncommitted, .groupCommitted, .manifestRowUnwritten,
                .manifestRowWritten, .sequencesUnset, .sequencesSet,
            ].map { CrashMoment(point: $0) }
            + [.groupUntouched, .groupEmptied, .groupUncommitted, .groupCommitted].map {
                CrashMoment(point: $0, count: 2)
            }

        static let creations: [CrashMoment] = [
            .tablesUncreated, .tablesCreated, .creationCommitted, .groupEmptied, .groupUncommitted, .groupCommitted,
            .definitionsUnfinished, .definitionsFinished,
        ].map { CrashMoment(point: $0) }

        static let replaced: [CrashMoment] = [
            .tablesUncreated, .tablesCreated, .tableLoaded, .groupUncommitted, .wholeUncommitted,
            .wholeCommitted,
        ].map { CrashMoment(point: $0) }

        static let whole: [CrashMoment] =
            [.groupUntouched, .groupEmptied, .tableLoaded, .manifestRowWritten, .wholeUncommitted, .wholeCommitted].map
        {
            CrashMoment(point: $0)
        } + [CrashMoment(point: .tableLoaded, count: 3), CrashMoment(point: .groupUncommitted, count: 2)]

        static let divisions: [CrashMoment] = [.divisionUncommitted, .groupCommitted].map { CrashMoment(point: $0) }

        static let resets: [CrashMoment] = [.databaseCreated, .databaseDropped, .databaseRenamed].map {
            CrashMoment(point: $0)
        }

        /// A site with a set of the new rows.
        private func withSet(
            _ kind: StorageUnderTest,
            _ yaml: String,
            names: String = Self.names,
            on server: PostgresServer? = nil,
            _ body: (CrashSite) async throws -> Void
        ) async throws {
            try await CrashSite.with(kind, on: server) { site in
                try await site.execute(site.source, Self.tables + Self.newRows)
                let configuration = try site.configure(names + "\n" + yaml)
                for kind in [RunKind.backup, .restore] {
                    _ = try await ManifestCreation(configuration, for: kind).run()
                }
                let report = try await BackupRun(configuration, environment: site.environment()).run()
                #expect(report.failed.isEmpty)
                try await body(site)
            }
        }

        /// On S3 the program is only killed: it reads there, and changes nothing.
        private func endings(_ kind: StorageUnderTest) -> [CrashSite.Ending] {
            kind == .local ? CrashSite.Ending.allCases : [.kill]
        }

        @Test(
            "Each group has its old rows or all new ones, the manifest says which, and the next restore succeeds",
            arguments: loads,
            StorageUnderTest.allCases
        )
        func load(moment: CrashMoment, kind: StorageUnderTest) async throws {
            // A table that may have rows rejected is loaded in a transaction of its own, the second one.
            let names =
                moment.count == 1
                ? Self.names : Self.names.replacing("public.single", with: "{name: public.single, max_rejects: 1}")
            try await withSet(kind, "truncate: true", names: names) { site in
                try await site.execute(site.target, Self.tables)
                let new = try await site.contents(site.source)
                for ending in endings(kind) {
                    try await site.execute(site.target, Self.oldRows + "truncate manifest;")
                    let old = try await site.contents(site.target)
                    let outcome = try await site.run("restore", until: moment.point, ending, count: moment.count)
                    let now = try await site.contents(site.target)
                    site.expect(ending, outcome, isDone: now == new)
                    let recorded = try await site.values(site.target, #"select "table" from manifest"#)
                    for (tables, sequences) in Self.groups {
                        let isNew = tables.allSatisfy { now[$0] == new[$0] }
                        #expect(isNew || tables.allSatisfy { now[$0] == old[$0] }, "\(now)")
                        #expect(tables.allSatisfy { recorded.contains("public.\($0)") == isNew }, "\(recorded)")
                        // Sequences are set after the commit of their tables.
                        #expect(sequences.allSatisfy { now[$0] == old[$0] || isNew && now[$0] == new[$0] }, "\(now)")
                    }
                }
                let next = try await site.run("restore")
                #expect(next.status == 0, "\(next.error)")
                #expect(try await site.contents(site.target) == new)
            }
        }

        @Test(
            "With transaction: all the target is the old one or the new one, with its sequences and the manifest",
            arguments: whole
        )
        func singleTransaction(moment: CrashMoment) async throws {
            try await withSet(.local, "truncate: true\ntransaction: all") { site in
                try await site.execute(site.target, Self.tables)
                let new = try await site.contents(site.source)
                for ending in CrashSite.Ending.allCases {
                    try await site.execute(site.target, Self.oldRows + "truncate manifest;")
                    let old = try await site.contents(site.target)
                    let outcome = try await site.run("restore", until: moment.point, ending, count: moment.count)
                    let now = try await site.contents(site.target)
                    site.expect(ending, outcome, isDone: now == new)
                    #expect(now == old || now == new, "\(now)")
                    let recorded = try await site.values(site.target, "select count(*) from manifest")
                    #expect(recorded == (now == new ? ["3"] : ["0"]))
                }
                let next = try await site.run("restore")
                #expect(next.status == 0, "\(next.error)")
                #expect(try await site.contents(site.target) == new)
            }
        }

        @Test(
            "Indexes and keys that are dropped for a load are there, whenever it is killed",
            arguments: [.groupEmptied, .tableLoaded, .groupUncommitted, .groupCommitted] as [FailPoint]
        )
        func rebuild(point: FailPoint) async throws {
            let names = """
                select relname from pg_class where relkind = 'i' and relnamespace = 'public'::regnamespace
                union all select conname from pg_constraint where contype = 'f' order by 1
                """
            let numbers = names.replacing("name from", with: "name || ' ' || oid from")
            try await withSet(.local, "truncate: true\nindexes: rebuild\nforeign_keys: rebuild") { site in
                try await site.execute(site.target, Self.tables + "create index of_customer on orders (customer_id);")
                let known = try await site.values(site.target, names)
                for ending in CrashSite.Ending.allCases {
                    try await site.execute(site.target, Self.oldRows + "truncate manifest;")
                    let (old, before) = (
                        try await site.contents(site.target), try await site.values(site.target, numbers)
                    )
                    let outcome = try await site.run("restore", until: point, ending)
                    let now = try await site.contents(site.target)
                    site.expect(ending, outcome, isDone: now["single"] != old["single"])
                    #expect(try await site.values(site.target, names) == known)
                    // What was rolled back has never been gone.
                    let isCommitted = now["orders"] != old["orders"]
                    #expect((try await site.values(site.target, numbers) == before) != isCommitted)
                }
                let next = try await site.run("restore")
                #expect(next.status == 0, "\(next.error)")
                #expect(try await site.values(site.target, names) == known)
            }
        }

        @Test(
            "New tables are missing, empty, or have all of their rows, and the next restore finishes them",
            arguments: creations
        )
        func create(moment: CrashMoment) async throws {
            try await withSet(.local, "ddl: true") { site in
                let new = try await site.contents(site.source)
                for ending in CrashSite.Ending.allCases {
                    try await site.execute(
                        site.target,
                        "drop table if exists customers, orders, single; truncate manifest"
                    )
                    let outcome = try await site.run("restore", until: moment.point, ending, count: moment.count)
                    let now = try await site.contents(site.target)
                    site.expect(ending, outcome, isDone: now == new)
                    // Nothing is emptied, so each table is a group of its own.
                    for table in Self.groups.flatMap(\.tables) {
                        #expect(now[table] == new[table] || now[table]?.isEmpty ?? true, "\(now)")
                    }
                }
                let next = try await site.run("restore")
                #expect(next.status == 0, "\(next.error)")
                #expect(try await site.contents(site.target) == new)
                #expect(try await site.values(site.target, Self.keys) == ["customer"])
            }
        }

        @Test(
            "A large new table is empty, or has all of its rows; after a kill between two commits the next restore replaces it",
            arguments: divisions
        )
        func divide(moment: CrashMoment) async throws {
            try await CrashSite.with(.local) { site in
                try await site.execute(
                    site.source,
                    "create table big (id int primary key, v text); "
                        + "insert into big select n, repeat(md5(n::text), 10) from generate_series(1, 20000) n"
                )
                let configuration = try site.configure("tables: [public.big]\nddl: true\njobs: 3")
                var environment = site.environment()
                environment.rangeSize = 64 << 10
                #expect(try await BackupRun(configuration, environment: environment).run().failed.isEmpty)
                let new = try await site.contents(site.source)
                for ending in CrashSite.Ending.allCases {
                    try await site.execute(site.target, "drop table if exists big")
                    let outcome = try await site.run("restore", until: moment.point, ending, rangeSize: 64 << 10)
                    let now = try await site.contents(site.target)
                    site.expect(ending, outcome, isDone: now == new)
                    if moment.point == .groupCommitted || ending == .term {
                        #expect(now == new || now["big"]?.isEmpty ?? true)
                    }
                    let next = try await site.run("restore", "--yes")
                    #expect(next.status == 0, "\(next.error)")
                    #expect(try await site.contents(site.target) == new)
                }
            }
        }

        @Test("Tables that are replaced are the old ones or the new ones, all together", arguments: replaced)
        func replace(moment: CrashMoment) async throws {
            try await withSet(.local, "ddl: true") { site in
                try await site.execute(site.target, Self.tables + "alter table single add column extra int;")
                let new = try await site.contents(site.source)
                var isFirst = true
                for ending in CrashSite.Ending.allCases {
                    // A committed one leaves the tables of the backup.
                    if !isFirst { try await site.execute(site.target, "truncate manifest") }
                    isFirst = false
                    try await site.execute(site.target, "truncate customers, orders, single restart identity")
                    try await site.execute(site.target, "insert into single (id, note) values (1, 'old')")
                    let old = try await site.contents(site.target)
                    let outcome = try await site.run("restore", until: moment.point, ending, count: moment.count)
                    let now = try await site.contents(site.target)
                    site.expect(ending, outcome, isDone: now == new)
                    #expect(now == old || now == new, "\(now)")
                    let keys = try await site.values(site.target, Self.keys)
                    #expect(keys == ["customer"])
                }
                let next = try await site.run("restore")
                #expect(next.status == 0, "\(next.error)")
                #expect(try await site.contents(site.target) == new)
            }
        }

        private static let keys = "select conname from pg_constraint where contype = 'f'"

        @Test("A database that is re-created is the old one, or an empty one, or there is an empty one to be renamed")
        func reset() async throws {
            try await PostgresServer.withServer { server in
                try await withSet(.local, "ddl: {enabled: true, clean: true}", on: server) { site in
                    let name = try #require(site.target.keywords["dbname"])
                    let new = try await site.contents(site.source)
                    for moment in Self.resets {
                        try await site.execute(site.target, "drop table if exists customers, orders, single")
                        try await site.execute(site.target, Self.tables + Self.oldRows)
                        let old = try await site.contents(site.target)
                        let outcome = try await site.run("restore", "--yes", until: moment.point, .kill)
                        site.expect(.kill, outcome)
                        let left = try await site.values(site.source, Self.replacements).first.map(quotedIdentifier)
                        if moment.point == .databaseDropped {
                            let failed = try await site.run("restore", "--yes")
                            #expect(failed.status == 1 && failed.errors.count == 1, "\(failed.error)")
                            #expect(failed.error.contains("\"\(name)\" does not exist"), "\(failed.error)")
                            let renaming = "alter database \(try #require(left)) rename to \(quotedIdentifier(name))"
                            try await site.execute(site.source, renaming)
                        }
                        let now = try await site.contents(site.target)
                        #expect(moment.point == .databaseCreated ? now == old : now.isEmpty, "\(now)")
                        let next = try await site.run("restore", "--yes")
                        #expect(next.status == 0, "\(next.error)")
                        #expect(try await site.contents(site.target) == new)
                        if moment.point == .databaseCreated {
                            try await site.execute(site.source, "drop database \(try #require(left))")
                        }
                        #expect(try await site.values(site.source, Self.replacements).isEmpty)
                    }
                }
            }
        }

        private static let replacements = "select datname from pg_database where datname ~ '^databudgie_[0-9a-f]+-'"
    }
#endif
