import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("References that are cut")
struct SubsetCutTests {
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
            #expect(await fixture.subsetProblems("\(start), references: {shops.code: cut}") == message)
            // A reference that is cut keeps its value where the parent is part of the subset.
            #expect(
                await fixture.subsetProblems("\(start), references: {shops.code: cut, orders.shop_code: cut}")
                    == message
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

    @Test("What the constraints of the table or of a partition forbid is not cut")
    func constraints() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table x(a int primary key);
                create table y(a int, b int, primary key (a, b));
                create table c(id int primary key, a int references x, b int,
                    constraint both_of_them foreign key (a, b) references y match full);
                create table ev(id int, x int references x) partition by list (x);
                create table ev1 partition of ev for values in (1);
                create table log(id int, day int, x int references x) partition by list (day);
                create table log1 (id int, x int not null, day int);
                alter table log attach partition log1 for values in (1);
                create table h(id int, x int references x) partition by hash (x);
                create table h1 partition of h for values with (modulus 1, remainder 0);
                insert into x values (1), (2); insert into y values (1, 1); insert into c values (1, 1, 1);
                insert into ev values (1, 1); insert into log values (1, 1, 1); insert into h values (1, 1), (2, 2);
                """
            )
            let start = "start: {c: 'true', ev: 'true', log: 'true', h: 'true'}"
            #expect(
                await fixture.subsetProblems("\(start), references: {c.a: cut, ev.x: cut, log.x: cut}").sorted() == [
                    "public.c.a cannot be cut: both_of_them is MATCH FULL and has other columns as well",
                    "public.ev.x cannot be cut: x is part of the partition key",
                    "public.log.x cannot be cut: no column of it allows NULL",
                ]
            )
            #expect(try fixture.files() == [])
            _ = try await fixture.backup(fixture.subsetYAML("start: {h: 'true'}, references: {h.x: cut}"))
            #expect(try fixture.lines("public.h") == ["1,", "2,"])
        }
    }

    @Test(
        "A column that is unique with its NULLs is not cut",
        .enabled("needs Postgres 15") { try await ServerBuild.shared.majorVersion >= 15 }
    )
    func distinctNulls() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table x(id int primary key);
                create table y(id int primary key, x int references x, unique nulls not distinct (x));
                insert into x values (1), (2); insert into y values (1, 1), (2, 2);
                """
            )
            #expect(
                await fixture.subsetProblems("start: {y: 'true'}, references: {y.x: cut}") == [
                    "public.y.x cannot be cut: x is unique with NULLS NOT DISTINCT"
                ]
            )
        }
    }

    @Test("The server checks rows of which a reference is cut before anything is written", arguments: ["", "comments"])
    func checks(whole: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table posts(id int primary key); create table photos(id int primary key);
                create table comments(id int primary key, post_id int references posts, photo_id int references photos,
                    constraint one_of_both check (num_nonnulls(post_id, photo_id) = 1), check (photo_id > 0));
                """
            )
            try await fixture.execute(
                fixture.source,
                """
                insert into posts values (1), (2); insert into photos values (1), (2);
                insert into comments values (1, 1, null), (2, null, 2), (3, null, 1);
                """
            )
            let start = "start: {comments: 'true', photos: id = 1}, whole: [\(whole)]"
            #expect(
                await fixture.subsetProblems("\(start), references: {comments.photo_id: cut}") == [
                    "public.comments: the constraint one_of_both refuses 1 row of which a reference is cut; follow the reference, "
                        + "or set it to ignore"
                ]
            )
            #expect(try fixture.files() == [])
            let yaml = fixture.subsetYAML(
                "start: {comments: 'true', photos: 'true'}, references: {comments.photo_id: cut}"
            )
            _ = try await fixture.backup(yaml)
            #expect(try await fixture.restore(yaml).failed.isEmpty)
        }
    }

    @Test("Rows whose parent a policy hides lead nowhere, and that is told")
    func policies() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.source,
                    """
                    create table p(id int primary key, secret bool); create table c(id int primary key, p int references p);
                    insert into p values (1, false), (2, true); insert into c values (1, 1), (2, 2);
                    alter table p enable row level security; create policy seen on p using (not secret);
                    grant usage on schema public to \(role); grant select on p, c to \(role);
                    """
                )
                let log = EventLog()
                let tables = "{'public.*': {row_security: true}}"
                _ = try await fixture.connected(as: role).backup(
                    fixture.subsetYAML("start: {c: 'true'}", tables: tables),
                    events: log
                )
                #expect(try fixture.lines("public.p") == ["1,f"])
                #expect(
                    log.warnings == [
                        "public.c.p leads nowhere once: there is no such row in public.p that its policies show"
                    ]
                )
                #expect(try fixture.record().foreignKeys.map(\.orphans) == [1])
            }
        }
    }

    @Test("Of references out of the run those rows are counted that refer: by an expression, by an array's elements")
    func leaving() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table a(id int primary key); create table tags(id int primary key);
                create table posts(id int primary key, tags int[], meta jsonb, a int not null references a);
                insert into a values (1);
                insert into posts values (1, '{1,2}', '{"a": 1}', 1), (2, '{}', '{}', 1), (3, '{null}', null, 1), (4, null, null, 1);
                """
            )
            let log = EventLog()
            let references = """
                posts.tags: {to: tags.id, elements: true}, posts.meta: {to: a.id, expression: "(meta->>'a')::int"}
                """
            _ = try await fixture.backup(
                fixture.subsetYAML("start: {posts: 'true'}, references: {\(references)}", tables: "[public.posts]"),
                events: log
            )
            let hint = "which is not part of the run, in"
            #expect(
                log.warnings.sorted() == [
                    "public.posts.a refers to public.a, \(hint) 4 rows; add public.a to 'tables', or set the reference to ignore",
                    "public.posts.meta refers to public.a, \(hint) 1 row; add public.a to 'tables', or set the reference to ignore",
                    "public.posts.tags refers to public.tags, \(hint) 1 row; add public.tags to 'tables', or set the reference "
                        + "to ignore",
                ]
            )
        }
    }
}
