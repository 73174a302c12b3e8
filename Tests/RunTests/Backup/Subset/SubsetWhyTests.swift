import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("Why a row is part of a subset")
struct SubsetWhyTests {
    private let start = "start: {accounts: id = 1}, references: {\(AccountsSchema.polymorphic)}"

    private func why(_ fixture: RunFixture, _ row: String, _ subset: String) async throws -> RowReason {
        let reasons = try await BackupRun(try fixture.configuration(fixture.subsetYAML(subset))).why(row)
        #expect(!reasons.hasMore)
        return try #require(reasons.reasons.first)
    }

    private func shown(_ reason: RowReason) -> [String] {
        [reason.row.name] + reason.chain.map { "\($0.reference) \($0.refers ? "of" : "to") \($0.row.name)" }
            + (reason.end.map { [$0.rawValue] } ?? [])
    }

    @Test("A chain of references leads from a row to one of the start")
    func chain() async throws {
        try await RunFixture.withAccounts { fixture in
            let product = try await why(fixture, "public.products:1", start)
            #expect(
                shown(product) == [
                    "public.products:1", "public.lines.sku of public.lines:100,1",
                    "public.lines.order_id to public.orders:100",
                    "public.orders.account_id to public.accounts:1", "start",
                ]
            )
            #expect(product.row.state == .linked && product.chain.map(\.row.state) == [.chosen, .chosen, .chosen])
            let user = try await why(fixture, "users.email:d@x", start)
            #expect(
                shown(user) == [
                    "public.users:21", "public.users.account_id to public.accounts:2",
                    "public.accounts.parent_id to public.accounts:1", "start",
                ]
            )
            let line = try await why(fixture, "lines(order_id, no):\"100\",2", start)
            #expect(shown(line).first == "public.lines:100,2" && line.row.state == .chosen)
            let order = try await why(fixture, "public.orders:201", "start: {orders: id = 201}, children: false")
            #expect(shown(order) == ["public.orders:201", "start"])
            #expect(try fixture.files() == [])
        }
    }

    @Test("Every row of the files has a chain to the start or to a whole table, and no other row has one")
    func everyRow() async throws {
        try await RunFixture.withAccounts { fixture in
            _ = try await fixture.backup(fixture.subsetYAML(start))
            let keys = [
                "accounts": "id", "users": "id", "countries": "code", "products": "id", "orders": "id",
                "lines": "order_id || ',' || no", "shipments": "id", "comments": "id",
            ]
            for (table, key) in keys {
                let columns = table == "lines" ? 2 : 1
                let kept = Set(
                    try fixture.lines("public.\(table)").map {
                        $0.split(separator: ",", omittingEmptySubsequences: false).prefix(columns).joined(
                            separator: ","
                        )
                    }
                )
                for row in try await fixture.rows(fixture.source, "select \(key) from \(table)") {
                    let reason = try await why(fixture, "public.\(table):\(row)", start)
                    #expect((reason.end != nil) == kept.contains(row), "\(table):\(row)")
                    #expect((reason.row.state != nil) == kept.contains(row))
                    let names = [reason.row.name] + reason.chain.map(\.row.name)
                    #expect(Set(names).count == names.count, "\(names)")
                    if kept.contains(row) { #expect(names.last == "public.accounts:1") }
                }
            }
        }
    }

    @Test("A row of a whole table, and what only such a row refers to, are there because of the table")
    func whole() async throws {
        try await RunFixture.withAccounts { fixture async throws in
            let subset = "start: {accounts: id = 3}, children: false, whole: [products], unconnected: none"
            #expect(try await shown(why(fixture, "products:2", subset)) == ["public.products:2", "whole"])
            #expect(
                try await shown(why(fixture, "countries:FR", subset)) == [
                    "public.countries:FR", "public.products.country of public.products:2", "whole",
                ]
            )
        }
    }

    @Test("A chain that the server follows is as long as it is, and a limit hides no row that refers")
    func longChains() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table chain(id int primary key, next int references chain);
                insert into chain select g, nullif(g + 1, 301) from generate_series(1, 300) g;
                create table p(id int primary key); create table c(id int primary key, p int references p);
                insert into p values (1); insert into c values (1, 1), (2, 1);
                """
            )
            let reason = try await why(fixture, "chain:300", "start: {chain: id = 1}, unconnected: none")
            #expect(reason.chain.count == 299 && reason.end == .start)
            #expect(
                reason.chain.first?.row.name == "public.chain:299" && reason.chain.last?.row.name == "public.chain:1"
            )
            let children = try await why(fixture, "chain:1", "start: {chain: id = 300}, unconnected: none")
            #expect(children.chain.count == 299 && children.row.state == .chosen)
            // The second child is not among those that a parent brings, and is the one that brought the parent.
            let limited = "start: {c: id = 2}, references: {c.p: {limit: 1, order_by: id}}, unconnected: none"
            #expect(
                try await shown(why(fixture, "p:1", limited)) == ["public.p:1", "public.c.p of public.c:2", "start"]
            )
        }
    }

    @Test("Partitions, tables without a key, and several rows of one value have names")
    func shapes() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table acc(id int primary key);
                create table ev(acc int references acc, at date) partition by range (at);
                create table ev1 partition of ev for values from ('2020-01-01') to ('2021-01-01');
                insert into acc values (1), (2);
                insert into ev select 1, date '2020-01-01' + i from generate_series(1, 7) i;
                """
            )
            let run = BackupRun(try fixture.configuration(fixture.subsetYAML("start: {acc: id = 1}")))
            let reasons = try await run.why("public.ev.acc:1")
            #expect(reasons.hasMore && reasons.reasons.count == RowReasons.limit && reasons.areIncluded)
            #expect(
                shown(reasons.reasons[0]) == [
                    "public.ev:(0,1)", "public.ev.acc to public.acc:1", "start",
                ]
            )
            #expect(try await run.why("acc:2").areIncluded == false)
            let error = await #expect(throws: DatabudgieError.self) { try await run.why("ev:1") }
            #expect(error?.description.contains("public.ev: it has no primary key") == true)
        }
    }

    @Test("A value is compared as it is, and keys of several columns are written as they are read")
    func values() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table v(code varchar(3) primary key, c char(3), n numeric(10, 1));
                create table l(a text, b text, primary key (a, b));
                insert into v values ('abc', 'xy', 1.2); insert into l values ('A,1', 'say "x"'), ('', 'plain');
                """
            )
            let start = "start: {v: 'true', l: 'true'}"
            for row in ["v.code:abc", "v.c:xy", "v.n:1.2"] {
                #expect(try await why(fixture, row, start).row.name == "public.v:abc")
            }
            for row in ["v.code:abcd", "v.c:xyz", "v.n:1.24"] {
                let error = await #expect(throws: DatabudgieError.self) { try await why(fixture, row, start) }
                #expect(error?.message == "there is no row \(row)")
            }
            for name in ["public.l:\"A,1\",\"say \"\"x\"\"\"", "public.l:\"\",plain"] {
                #expect(try await why(fixture, name, start).row.name == name)
            }
        }
    }

    @Test("What names no row is refused with what may have been meant")
    func refusals() async throws {
        try await RunFixture.withAccounts { fixture in
            let run = BackupRun(try fixture.configuration(fixture.subsetYAML("start: {accounts: id = 1}")))
            let cases: [(String, DatabudgieError.Code, String)] = [
                ("orders", .configuration, "'orders' does not name a row"),
                (
                    "public.order:1", .configuration,
                    "'public.order' is neither a table of the run nor a column of one; did you mean 'public.orders'?"
                ),
                ("public.users.mail:1", .configuration, "'public.users.mail' is neither a table of the run"),
                ("lines:100", .configuration, "public.lines: the key has 2 columns (order_id, no), not 1"),
                ("orders:x", .configuration, "orders:x: invalid input syntax for type integer: \"…\""),
                ("orders:7", .database, "there is no row orders:7"),
                ("countries:A:B", .database, "there is no row countries:A:B"),
            ]
            for (row, code, message) in cases {
                let error = await #expect(throws: DatabudgieError.self) { try await run.why(row) }
                #expect(error?.code == code, "\(row)")
                #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
            }
            let all = BackupRun(try fixture.configuration("{root_location: \(fixture.folder), tables: [accounts]}"))
            let error = await #expect(throws: DatabudgieError.self) { try await all.why("accounts:1") }
            #expect(
                error?.code == .configuration && error?.message == "the backup has no 'subset': it exports all rows"
            )
        }
    }
}
