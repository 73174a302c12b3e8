import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("What is refused of a subset")
struct SubsetRefusalTests {
    @Test("Names that mean nothing are reported all together, with what may have been meant")
    func names() async throws {
        try await RunFixture.withAccounts { fixture async throws in
            let problems = await fixture.subsetProblems(
                """
                start: {public.acounts: id = 1}, whole: [public.setings], tenants: public.accountz, references: {
                  public.users.invited: cut, public.orders.account_id: cut, "public.orders(user_id, id)": parents,
                  public.comments.on_id: {to: public.order.id}, "*.nothing": ignore}
                """
            )
            #expect(
                problems.sorted() == [
                    "public.orders.account_id cannot be cut: no column of it allows NULL",
                    "subset.references: '*.nothing' matches no foreign key of the run",
                    "subset.references: 'public.comments.on_id' refers to 'public.order.id', which is not a column of a table; "
                        + "did you mean 'public.orders'?",
                    "subset.references: public.orders has no foreign key on user_id, id; for a reference without a constraint "
                        + "add 'to'",
                    "subset.references: public.users has no foreign key on invited; for a reference without a constraint add "
                        + "'to'",
                    "subset.start: 'public.acounts' matches no table of the run; did you mean 'public.accounts'?",
                    "subset.tenants: 'public.accountz' matches no table of the run; did you mean 'public.accounts'?",
                    "subset.whole: 'public.setings' matches no table of the run; did you mean 'public.settings'?",
                ]
            )
            #expect(try fixture.files() == [])
        }
    }

    @Test("A query of its own, and files of other moments, do not fit a subset")
    func queries() async throws {
        try await RunFixture.withAccounts { fixture async throws in
            let tables = """
                [{name: public.orders, query: 'select * from {table} where id < 200'}, {name: public.users, skip_if_exists: true},
                 public.accounts]
                """
            #expect(
                await fixture.subsetProblems("start: {accounts: 'true'}", tables: tables).sorted() == [
                    "public.orders: it has a query of its own; write its condition under 'start' of 'subset'",
                    "public.users: it has 'skip_if_exists', but rows of another moment do not fit a subset; remove it",
                ]
            )
        }
    }

    @Test("A run with a subset cannot be resumed")
    func resumption() async throws {
        try await RunFixture.withAccounts { fixture async throws in
            let error = await #expect(throws: DatabudgieError.self) {
                var configuration = try fixture.configuration(fixture.subsetYAML("start: {accounts: id = 1}"))
                configuration.backup.run.manifest = "public.m"
                configuration.backup.run.resumeID = 7
                _ = try await BackupRun(configuration).run()
            }
            #expect(error?.code == .configuration)
            #expect(error?.message.contains("cannot resume a run with 'subset'") == true)
        }
    }

    @Test("Conditions that the server refuses are reported all together, before anything is written")
    func conditions() async throws {
        try await RunFixture.withAccounts { fixture async throws in
            let problems = await fixture.subsetProblems(
                """
                start: {accounts: nr = 1, users: 'email = 1'}, references: {
                  comments.on_type: {to: products.id}, orders.user_id: {where: nothing}}
                """
            )
            #expect(problems.count == 4)
            #expect(problems[0].hasPrefix("subset.start: public.accounts: column \"nr\" does not exist"))
            #expect(problems[1].hasPrefix("subset.start: public.users: operator does not exist: text = integer"))
            #expect(
                problems[2].hasPrefix("subset.references: public.orders.user_id: column \"nothing\" does not exist")
            )
            #expect(
                problems[3].hasPrefix("subset.references: public.comments.on_type: operator does not exist: integer")
            )
            #expect(try fixture.files() == [])
        }
    }

    @Test("A start without rows, and too many rows, stop the run")
    func amounts() async throws {
        try await RunFixture.withAccounts { fixture async throws in
            #expect(
                await fixture.subsetProblems("start: {accounts: id = 7, users: id = 8}") == [
                    "public.accounts: the start of the subset selects no row; correct its condition, or add 'allow_empty: true' "
                        + "to it",
                    "public.users: the start of the subset selects no row; correct its condition, or add 'allow_empty: true' "
                        + "to it",
                ]
            )
            let limited = await fixture.subsetProblems("start: {accounts: id = 1}, max_rows: 7")
            #expect(limited.count == 1 && limited[0].hasPrefix("the subset has more than 7 rows: "))
            #expect(limited[0].contains("whole tables have 1"))
            let allowed = "start: {accounts: {where: id = 7, allow_empty: true}}, max_rows: 1"
            #expect(await fixture.subsetProblems(allowed) == [])
        }
    }

    @Test("With tenants every table must be connected, and nothing may lead out of the run")
    func tenants() async throws {
        try await RunFixture.withAccounts { fixture async throws in
            try await fixture.execute(fixture.source, "create view everybody as select * from users")
            let problems = await fixture.subsetProblems(
                "start: {accounts: id = 1}, tenants: accounts",
                tables: "[public.accounts, public.orders, public.lines, public.settings, public.everybody]"
            )
            #expect(
                problems.sorted() == [
                    "no reference leads from public.accounts to public.settings; name it under 'whole', or set unconnected: none",
                    "public.everybody: it is exported as it is, because a subset follows references of tables only: it can have "
                        + "rows of any tenant; name it under 'whole' of 'subset', or exclude it",
                    "public.lines.sku refers to public.products, which is not part of the run: its rows can be of any tenant; add "
                        + "public.products to 'tables', or set the reference to cut or ignore",
                    "public.orders.user_id refers to public.users, which is not part of the run: its rows can be of any tenant; "
                        + "add public.users to 'tables', or set the reference to cut or ignore",
                ]
            )
        }
    }
}
