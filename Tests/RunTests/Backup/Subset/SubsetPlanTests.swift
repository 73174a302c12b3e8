import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("Plans of a subset")
struct SubsetPlanTests {
    private func plan(_ fixture: RunFixture, _ subset: String, events: EventLog = EventLog()) async throws -> RunPlan {
        try await BackupRun(try fixture.configuration(fixture.subsetYAML(subset))).plan(onEvent: events.append)
    }

    private func rows(_ plan: RunPlan, _ table: String) throws -> RunPlan.SubsetRows {
        try #require(plan.tables.first { $0.name == table }?.subset)
    }

    @Test("Each table has its chosen and linked rows, how many it has at all, and what brought them")
    func sources() async throws {
        try await RunFixture.withAccounts { fixture in
            let plan = try await plan(
                fixture,
                "start: {accounts: id = 1}, references: {\(AccountsSchema.polymorphic)}"
            )
            let shown = try plan.tables.map { table in
                let rows = try #require(table.subset)
                return
                    "\(table.name ?? ""): \(rows.chosen) \(rows.linked.map(String.init) ?? "all") of \(rows.total ?? -1)"
            }
            #expect(
                shown.sorted() == [
                    "accounts: 2 1 of 3", "comments: 3 0 of 3", "countries: 0 2 of 2", "lines: 2 0 of 3",
                    "orders: 3 1 of 4",
                    "products: 0 2 of 2", "settings: 0 all of 1", "shipments: 1 0 of 3", "users: 3 1 of 4",
                ]
            )
            #expect(try rows(plan, "settings").sources == [.init(kind: .whole)])
            #expect(
                try rows(plan, "lines").sources
                    == [.init(kind: .children, reference: "public.lines.order_id", rows: 2)]
            )
            #expect(
                try rows(plan, "products").sources
                    == [.init(kind: .parents, reference: "public.lines.sku", rows: 2)]
            )
            let accounts = try rows(plan, "accounts").sources
            #expect(accounts.first == .init(kind: .start, rows: 1))
            #expect(accounts.contains(.init(kind: .children, reference: "public.accounts.parent_id", rows: 1)))
            for table in plan.tables where table.name != "settings" {
                let rows = try #require(table.subset)
                #expect(
                    rows.sources.compactMap(\.rows).reduce(0, +) == rows.chosen + (rows.linked ?? 0),
                    "\(table.job)"
                )
            }
            #expect(try fixture.files() == [])
        }
    }

    @Test("A table that was analyzed is not counted, and one that is whole can have chosen rows")
    func statistics() async throws {
        try await RunFixture.withAccounts { fixture in
            try await fixture.execute(fixture.source, "analyze accounts; insert into accounts values (4, null)")
            let plan = try await plan(fixture, "start: {accounts: id = 1}, whole: [accounts]")
            let accounts = try rows(plan, "accounts")
            #expect((accounts.chosen, accounts.linked, accounts.total) == (2, nil, 3))
            #expect(accounts.sources.first == .init(kind: .whole))
        }
    }

    @Test("Columns without an index that the subset follows are named once, and others are not")
    func indexes() async throws {
        try await RunFixture.withAccounts { fixture in
            let events = EventLog()
            let plan = try await plan(
                fixture,
                "start: {orders: id = 100}, references: {lines.sku: ignore, orders.replaced_by: parents}",
                events: events
            )
            #expect(plan.columnsWithoutIndex == ["public.shipments(order_id, line_no)"])
            #expect(events.notes.contains("no index on public.shipments(order_id, line_no): each pass reads the table"))
            try await fixture.execute(fixture.source, "create index on shipments (line_no)")
            let indexed = try await self.plan(fixture, "start: {lines: order_id = 100}")
            #expect(indexed.columnsWithoutIndex == [])
        }
    }

    @Test("Tables that are connected and not reached are named with the reference that would reach them")
    func unreached() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table track(id int primary key); create table line(id int primary key, track int references track);
                create table playlist(id int primary key);
                create table entry(playlist int references playlist, track int references track);
                insert into track values (1); insert into line values (1, 1); insert into playlist values (1);
                insert into entry values (1, 1);
                """
            )
            let events = EventLog()
            let first = try await plan(fixture, "start: {line: id = 1}", events: events)
            #expect(try rows(first, "entry").chosen == 0)
            #expect(
                events.warnings == [
                    "no row of public.entry is exported, because rows that others refer to bring none that refer to them; set the "
                        + "reference public.line.track to through, or name the table under 'whole'",
                    "no row of public.playlist is exported: no reference is followed to it; name it under 'whole' to export all "
                        + "rows",
                ]
            )
            let followed = try await plan(fixture, "start: {line: id = 1}, references: {line.track: through}")
            #expect(try rows(followed, "entry").chosen == 1)
            #expect(
                try rows(followed, "playlist").sources
                    == [.init(kind: .parents, reference: "public.entry.playlist", rows: 1)]
            )
        }
    }
}
