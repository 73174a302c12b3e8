import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("References that are cut")
struct SubsetCutTests {
    private func problems(_ fixture: RunFixture, _ subset: String, tables: String = "['public.*']") async -> [String] {
        do {
            _ = try await fixture.backup(fixture.subsetYAML(subset, tables: tables))
            return []
        } catch let error as DatabudgieError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("A value that other rows refer to is not cut")
    func referred() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table currencies(code text primary key);
                create table shops(id int primary key, code text unique references currencies);
                create table orders(id int primary key, shop_code text references shops(code));
                """
            )
            try await fixture.execute(
                fixture.source,
                """
                insert into currencies values ('EUR'), ('USD'); insert into shops values (1, 'EUR'), (2, 'USD');
                insert into orders values (10, 'EUR'), (11, 'USD');
                """
            )
            let start = "start: {orders: id = 10}"
            let message = ["public.shops.code cannot be cut: public.orders.shop_code refers to code"]
            #expect(await problems(fixture, "\(start), references: {shops.code: cut}") == message)
            // A reference that is cut keeps its value where the parent is part of the subset.
            #expect(
                await problems(fixture, "\(start), references: {shops.code: cut, orders.shop_code: cut}") == message
            )
            #expect(try fixture.files() == [])
            let yaml = fixture.subsetYAML(
                "start: {orders: id = 10, shops: id = 1}, references: {shops.code: cut, orders.shop_code: ignore}"
            )
            _ = try await fixture.backup(yaml)
            #expect(try fixture.lines("public.shops") == ["1,"])
        }
    }

    @Test("Where some columns of a key are referred to, the others are cut, also at the wall of a tenant")
    func shared() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table accounts(id int primary key);
                create table users(account_id int references accounts, id int, manager int, unique (account_id, id),
                    foreign key (account_id, manager) references users(account_id, id));
                create table teams(id int primary key, account_id int references accounts, owner_account int, owner int,
                    foreign key (owner_account, owner) references users(account_id, id), unique (owner_account, id));
                create table notes(id int primary key, a int, team int,
                    foreign key (a, team) references teams(owner_account, id));
                """
            )
            try await fixture.execute(
                fixture.source,
                """
                insert into accounts values (1), (2); insert into users values (1, 1, null), (2, 2, null), (2, 3, 2);
                insert into teams values (1, 1, 1, 1), (2, 1, 2, 2); insert into notes values (1, 1, 1), (2, 2, 2);
                """
            )
            let yaml = fixture.subsetYAML("start: {accounts: id = 1}, tenants: accounts, crossing: cut")
            _ = try await fixture.backup(yaml)
            #expect(try fixture.lines("public.teams") == ["1,1,1,1", "2,1,2,"])
            #expect(try fixture.lines("public.notes") == ["1,1,1", "2,2,2"])
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            let own = fixture.subsetYAML(
                "start: {users: id = 3, accounts: 'true'}, children: false, references: {'users(account_id, manager)': cut}"
            )
            _ = try await fixture.backup(own)
            #expect(try fixture.lines("public.users") == ["2,3,"])
        }
    }
}
