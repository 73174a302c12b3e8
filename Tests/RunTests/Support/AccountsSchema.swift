import DatabudgieTestSupport
import Foundation
import Testing

@testable import Databudgie

/// Accounts of a shop, with references in cycles, to themselves, over two columns, to a key that is not primary, and without a
/// constraint.
enum AccountsSchema {
    static let tables = """
        create table accounts(id int primary key, parent_id int references accounts);
        create table users(id int primary key, account_id int not null references accounts, email text not null unique,
            invited_by int references users);
        create table countries(code text primary key);
        create table products(id int primary key, sku text not null unique, country text references countries);
        create table orders(id int primary key, account_id int not null references accounts,
            user_id int not null references users, replaced_by int references orders);
        create table lines(order_id int references orders, no int, sku text references products(sku),
            primary key(order_id, no));
        create table shipments(id int primary key, order_id int, line_no int, foreign key(order_id, line_no) references lines);
        create table comments(id int primary key, on_type text, on_id int, author_id int references users);
        create table settings(k text);
        """
    static let rows = """
        insert into accounts values(1,null),(2,1),(3,null);
        insert into users values(10,1,'a@x',null),(20,3,'c@x',null),(11,1,'b@x',20),(21,2,'d@x',10);
        insert into countries values('DE'),('FR');
        insert into products values(1,'S1','DE'),(2,'S2','FR');
        insert into orders values(101,1,11,null),(100,1,10,101),(200,3,20,null),(201,3,20,100);
        insert into lines values(100,1,'S1'),(100,2,'S2'),(200,1,'S1');
        insert into shipments values(1,100,2),(2,100,null),(3,200,1);
        insert into comments values(1,'order',100,20),(2,'product',1,10),(3,'order',200,10);
        insert into settings values('x');
        """
    /// References of comments, to the table that one of their columns names.
    static let polymorphic = """
        public.comments.on_id: [{to: public.orders.id, when: on_type = 'order'},
          {to: public.products.id, when: on_type = 'product' -- and nothing else
          }]
        """
}

extension RunFixture {
    /// The fixture with the accounts in the source, and their tables in the target.
    static func withAccounts(_ body: (RunFixture) async throws -> Void) async throws {
        try await with { fixture in
            try await fixture.onBoth(AccountsSchema.tables)
            try await fixture.execute(fixture.source, AccountsSchema.rows)
            try await body(fixture)
        }
    }

    /// A configuration of all tables of a schema with a subset, whose files have the names of their tables.
    ///
    /// - Parameters:
    ///   - subset: In YAML's flow style, without the braces around it.
    ///   - tables: In YAML.
    /// - Returns: The configuration.
    func subsetYAML(_ subset: String, tables: String = "['public.*']") -> String {
        """
        {root_location: \(folder), location: '{table}', filename: '{table}.{ext}', tables: \(tables),
        subset: {\(subset)}}
        """
    }

    /// What a backup of a subset is refused for, problem by problem.
    ///
    /// - Parameters:
    ///   - subset: As ``subsetYAML(_:tables:)`` takes it.
    ///   - tables: In YAML.
    /// - Returns: Nothing when the backup runs.
    func subsetProblems(_ subset: String, tables: String = "['public.*']") async -> [String] {
        do {
            _ = try await backup(subsetYAML(subset, tables: tables))
            return []
        } catch let error as DatabudgieError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    /// The lines of a table's file, without the header, in the order of their bytes.
    func lines(_ table: String) throws -> [String] {
        try text("\(table)/\(table).csv").split(separator: "\n").dropFirst().map(String.init).sorted()
    }

    /// The newest record of a set.
    func record() throws -> SetRecord {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/catalog").filter {
            $0.hasSuffix(".json")
        }
        let name = "catalog/\(try #require(names.max()))"
        return try SetRecord(json: Array(try text(name).utf8), at: name)
    }

    /// How many rows each table has in the newest set: chosen and linked ones.
    func counts() throws -> [String: String] {
        let tables = try record().tables.compactMap { table in
            table.subset.map { (table.name ?? "", "\($0.chosen)|\($0.linked)") }
        }
        return Dictionary(tables) { first, _ in first }
    }
}
