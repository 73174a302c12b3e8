import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Backups of a subset")
struct SubsetRunTests {
    private let start = "start: {public.accounts: id = 1}"

    /// First columns of a table's file.
    private func keys(_ fixture: RunFixture, _ table: String, columns: Int = 1) throws -> [String] {
        try fixture.lines("public.\(table)").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).prefix(columns).joined(separator: "/")
        }
    }

    @Test("Everything that belongs to an account is there, and all that it refers to, but not what belongs to that")
    func both() async throws {
        try await RunFixture.withAccounts { fixture in
            let log = EventLog()
            let yaml = fixture.subsetYAML("\(start), references: {\(AccountsSchema.polymorphic)}")
            let report = try await fixture.backup(yaml, events: log)
            #expect(report.failed.isEmpty)
            #expect(
                try fixture.counts() == [
                    "accounts": "2|1", "users": "3|1", "orders": "3|1", "lines": "2|0", "shipments": "1|0",
                    "comments": "3|0", "products": "0|2", "countries": "0|2", "settings": "0|1",
                ]
            )
            #expect(try keys(fixture, "accounts") == ["1", "2", "3"])
            #expect(try keys(fixture, "users") == ["10", "11", "20", "21"])
            #expect(try keys(fixture, "orders") == ["100", "101", "200", "201"])
            #expect(try keys(fixture, "lines", columns: 2) == ["100/1", "100/2"])
            #expect(try keys(fixture, "shipments") == ["1"])
            #expect(try keys(fixture, "comments") == ["1", "2", "3"])
            #expect(try keys(fixture, "products") == ["1", "2"])
            #expect(try keys(fixture, "settings") == ["x"])
            #expect(log.warnings == [])
        }
    }

    @Test("'parents' brings what is referred to, and nothing that refers")
    func parents() async throws {
        try await RunFixture.withAccounts { fixture in
            let references =
                "\(AccountsSchema.polymorphic), public.orders.replaced_by: parents, accounts.parent_id: parents"
            _ = try await fixture.backup(fixture.subsetYAML("\(start), references: {\(references)}"))
            #expect(
                try fixture.counts() == [
                    "accounts": "1|2", "users": "3|1", "orders": "2|1", "lines": "2|0", "shipments": "1|0",
                    "comments": "3|0", "products": "0|2", "countries": "0|2", "settings": "0|1",
                ]
            )
            #expect(try keys(fixture, "orders") == ["100", "101", "200"])
        }
    }

    /// Case C of the closure: nothing of another account.
    private let cut = """
        \(AccountsSchema.polymorphic), public.orders.replaced_by: parents, public.accounts.parent_id: parents,
        public.users.invited_by: cut, public.comments.author_id: cut
        """

    @Test("A reference that is cut is NULL where it leads out, and the rest can be restored with all keys valid")
    func cutReferences() async throws {
        try await RunFixture.withAccounts { fixture in
            let yaml = fixture.subsetYAML("\(start), references: {\(cut)}")
            _ = try await fixture.backup(yaml)
            #expect(
                try fixture.counts() == [
                    "accounts": "1|0", "users": "2|0", "orders": "2|0", "lines": "2|0", "shipments": "1|0",
                    "comments": "1|0", "products": "0|2", "countries": "0|2", "settings": "0|1",
                ]
            )
            #expect(try fixture.lines("public.users") == ["10,1,a@x,", "11,1,b@x,"])
            #expect(try fixture.lines("public.comments") == ["1,order,100,"])
            let report = try await fixture.restore(yaml)
            #expect(report.failed.map(\.message) == [])
            let count = "select count(*) from users join accounts on accounts.id = account_id"
            #expect(try await fixture.rows(fixture.target, count) == ["2"])
        }
    }

    @Test("Without children only what is referred to is there")
    func withoutChildren() async throws {
        try await RunFixture.withAccounts { fixture in
            let log = EventLog()
            let yaml = fixture.subsetYAML(
                "start: {orders: id = 201}, children: false, references: {\(AccountsSchema.polymorphic)}"
            )
            _ = try await fixture.backup(yaml, events: log)
            let counts = try fixture.counts()
            #expect(counts["orders"] == "1|2" && counts["accounts"] == "0|2" && counts["users"] == "0|3")
            #expect(counts["comments"] == "0|0" && counts["products"] == "0|0" && counts["lines"] == "0|0")
            #expect(try fixture.text("public.lines/public.lines.csv") == "order_id,no,sku\n")
            #expect(
                log.warnings == [
                    "no row of public.comments, public.countries, public.lines, public.products, public.shipments is exported: "
                        + "no reference is followed to them; name them under 'whole' to export all rows"
                ]
            )
        }
    }

    @Test("References to rows of other tenants stop the run before anything is written, and all are named")
    func crossing() async throws {
        try await RunFixture.withAccounts { fixture in
            let tenants = "\(start), tenants: public.accounts, whole: [public.settings]"
            let yaml = fixture.subsetYAML("\(tenants), references: {\(AccountsSchema.polymorphic)}")
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.backup(yaml) }
            #expect(error?.code == .database)
            #expect(
                error?.problems.map(\.message).sorted() == [
                    "public.comments.author_id refers to rows outside of the subset, perhaps of other tenants, in 1 row (1)",
                    "public.comments.on_id refers to rows outside of the subset, perhaps of other tenants, in 1 row (3)",
                    "public.orders.account_id refers to rows outside of the subset, perhaps of other tenants, in 1 row (201)",
                    "public.orders.user_id refers to rows outside of the subset, perhaps of other tenants, in 1 row (201)",
                    "public.users.invited_by refers to rows outside of the subset, perhaps of other tenants, in 1 row (11)",
                ]
            )
            #expect(try fixture.files() == [])
            let included = EventLog()
            _ = try await fixture.backup(
                fixture.subsetYAML("\(tenants), crossing: include, references: {\(AccountsSchema.polymorphic)}"),
                events: included
            )
            #expect(included.warnings.count { $0.contains("row that may be of another tenant is exported") } == 3)
        }
    }

    @Test("With cut references a tenant's rows are all of its own")
    func tenants() async throws {
        try await RunFixture.withAccounts { fixture in
            let yaml = fixture.subsetYAML(
                "\(start), tenants: accounts, whole: [settings], references: {\(cut)}"
            )
            _ = try await fixture.backup(yaml)
            #expect(try keys(fixture, "accounts") == ["1"])
            #expect(try fixture.record().subset?.tenants == "accounts")
            // References that cross are cut, but those of an order cannot be.
            let crossing = fixture.subsetYAML(
                "\(start), tenants: accounts, crossing: cut, whole: [settings], references: {\(AccountsSchema.polymorphic)}"
            )
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.backup(crossing) }
            #expect(
                error?.problems.map(\.message)
                    == ["account_id", "user_id"].map {
                        "public.orders.\($0) refers to rows outside of the subset, perhaps of other tenants, in 1 row (201), and cannot be cut: no column of it "
                            + "allows NULL"
                    }
            )
            let parents = fixture.subsetYAML(
                """
                \(start), tenants: accounts, crossing: cut, whole: [settings],
                references: {\(AccountsSchema.polymorphic), orders.replaced_by: parents}
                """
            )
            _ = try await fixture.backup(parents)
            #expect(try fixture.lines("public.users") == ["10,1,a@x,", "11,1,b@x,", "21,2,d@x,10"])
            // The comment on another's order lost its reference, although there is no constraint.
            #expect(try fixture.lines("public.comments") == ["1,order,100,", "2,product,1,10", "3,order,,10"])
        }
    }

    @Test("The record says what the subset is, and no condition")
    func record() async throws {
        try await RunFixture.withAccounts { fixture in
            _ = try await fixture.backup(fixture.subsetYAML("\(start), references: {\(cut)}"))
            let subset = try #require(try fixture.record().subset)
            #expect(subset.start == ["public.accounts"])
            #expect(subset.chosen == 9 && subset.linked == 4 && subset.tenants == nil)
            #expect(subset.rules.hasPrefix("sha256:") && subset.rules.count == 71)
            let invited = try #require(subset.references.first { $0.name == "public.users.invited_by" })
            #expect(
                invited
                    == SetRecord.SubsetReference(
                        name: invited.name,
                        followed: "cut",
                        broughtParents: 0,
                        broughtChildren: 0,
                        cut: 1,
                        orphans: 0
                    )
            )
            let lines = try #require(subset.references.first { $0.name == "public.lines.sku" })
            #expect((lines.followed, lines.broughtParents, lines.broughtChildren) == ("both", 2, 0))
            let shipments = try #require(subset.references.first { $0.name.hasPrefix("public.shipments") })
            #expect(shipments.name == "public.shipments(order_id, line_no)" && shipments.broughtChildren == 1)
            let text = try fixture.text("catalog/\(try fixture.record().id).json")
            #expect(!text.contains("id = 1") && !text.contains("on_type = "))
        }
    }

    @Test("The rows are those that --start chooses, whatever the configuration says")
    func startOption() async throws {
        try await RunFixture.withAccounts { fixture in
            var sources = ConfigurationSources(environment: [:])
            sources.overrides.rawConfig = fixture.subsetYAML("start: {settings: 'true'}, children: false")
            sources.overrides.rawConfigFormat = .yaml
            sources.overrides.starts = ["public.products=id = 2", "products=sku='S1'"]
            sources.looksForDefaultFiles = false
            var configuration = try Configuration.load(sources)
            configuration.backup.run.connection = fixture.source
            _ = try await BackupRun(configuration).run()
            #expect(try keys(fixture, "products") == ["1", "2"])
            #expect(try fixture.counts()["countries"] == "0|2")
            #expect(try fixture.counts()["users"] == "0|0")
            #expect(try fixture.counts()["settings"] == "0|1")
        }
    }

    @Test("A plan has the numbers of rows, and stops where the backup would")
    func plan() async throws {
        try await RunFixture.withAccounts { fixture in
            let subset = "\(start), references: {\(cut)}"
            let plan = try await BackupRun(try fixture.configuration(fixture.subsetYAML(subset))).plan()
            let rows = Dictionary(plan.tables.map { ($0.name ?? "", $0.rows) }) { first, _ in first }
            #expect(rows["users"] == 2 && rows["orders"] == 2 && rows["products"] == 2 && rows["comments"] == 1)
            #expect(try fixture.files() == [])
            let crossing = fixture.subsetYAML("\(start), tenants: accounts, whole: [settings]")
            let error = await #expect(throws: DatabudgieError.self) {
                _ = try await BackupRun(try fixture.configuration(crossing)).plan()
            }
            #expect(
                error?.message.contains(
                    "public.orders.account_id refers to rows outside of the subset, perhaps of other tenants"
                ) == true
            )
        }
    }

    @Test("A dry run finds the rows, and writes nothing")
    func dryRun() async throws {
        try await RunFixture.withAccounts { fixture in
            let report = try await fixture.backup(fixture.subsetYAML(start), isDryRun: true)
            #expect(report.finished.first { $0.job.description == "public.accounts" }?.totals.rows == 3)
            #expect(try fixture.files() == [])
        }
    }
}
