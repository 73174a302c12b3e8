import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import DatabudgieCLI

@Suite("The command why, and plans of a subset")
struct WhyCommandTests {
    private func withTables(_ body: (Program) async throws -> Void) async throws {
        try await PostgresServer.withDatabase { source in
            try await withTemporaryFolder { folder in
                try await Connection.withConnection(to: source) {
                    try await $0.execute(
                        """
                        create table customer(id int primary key);
                        create table product(sku text primary key);
                        create table sale(id int primary key, customer int references customer, sku text references product);
                        insert into customer values (1), (2); insert into product values ('A:1'), ('B');
                        insert into sale values (10, 1, 'A:1'), (20, 2, 'B'), (30, 1, 'A:1');
                        """
                    )
                }
                let yaml = """
                    backup: {url: "\(Shop(parameters: source, folder: folder).url)"}
                    location: \(folder)/backups/{table}
                    tables: ["public.*"]
                    subset: {start: {customer: id = 1}}
                    """
                try Data(yaml.utf8).write(to: URL(filePath: "\(folder)/databudgie.yml"))
                try await body(Program(folder: folder))
            }
        }
    }

    @Test("The chain is printed with 0, and a row that is not part of the subset with 1")
    func text() async throws {
        try await withTables { program in
            let product = try await program.run("why", "public.product:A:1")
            #expect(product.status == 0 && product.error.isEmpty)
            #expect(
                product.output == """
                    public.product:A:1 (linked)
                      ← public.sale.sku of public.sale:10 (chosen)
                      ← public.sale.customer to public.customer:1 (chosen)
                      ← the start

                    """
            )
            let other = try await program.run("why", "product:B")
            #expect(other.status == 1 && other.output == "public.product:B is not part of the subset\n")
            #expect(try await program.run("why", "product:B", "--start", "sale=id = 20").status == 0)
            let missing = try await program.run("why", "product:C")
            #expect(missing.status == 1 && missing.error.contains("there is no row product:C"))
            let unknown = try await program.run("why", "products:C")
            #expect(unknown.status == 2 && unknown.error.contains("  hint: did you mean 'public.product'?"))
        }
    }

    @Test("JSON has the rows with their references and states")
    func json() async throws {
        try await withTables { program in
            let outcome = try await program.run("why", "sale.customer:1", "--json")
            #expect(outcome.status == 0)
            let document = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
            #expect(document?["more"] as? Bool == false)
            let rows = try #require(document?["rows"] as? [[String: Any]])
            #expect(rows.count == 2)
            #expect(rows[0]["end"] as? String == "start" && rows[0]["included"] as? Bool == true)
            #expect(rows[0]["row"] as? [String: String] == ["table": "public.sale", "key": "10", "state": "chosen"])
            let chain = try #require(rows[0]["chain"] as? [[String: Any]])
            #expect(chain.count == 1 && chain[0]["reference"] as? String == "public.sale.customer")
            #expect(chain[0]["direction"] as? String == "to")
        }
    }

    @Test("A plan shows how many rows of each table are part of the subset, of how many, and what brought them")
    func plan() async throws {
        try await withTables { program in
            let plan = try await program.run("plan", "backup")
            #expect(plan.status == 0)
            for line in [
                "rows of the subset     are there because",
                "public.customer     1  the subset begins with them",
                "public.product      1  public.sale.sku refers to them",
                "public.sale         2  public.sale.customer refers to chosen rows",
                "no index on public.sale(customer): each pass reads the table",
            ] {
                #expect(plan.output.contains(line + "\n"), "\(plan.output)")
            }
            let json = try await program.run("plan", "backup", "--json")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(document?["without_index"] as? [String] == ["public.sale(customer)"])
            let tables = try #require(document?["tables"] as? [[String: Any]])
            let sale = try #require(tables.first { $0["name"] as? String == "sale" }?["subset"] as? [String: Any])
            #expect(sale["chosen"] as? Int == 2 && sale["linked"] as? Int == 0 && sale["total"] as? Int == 3)
            let sources = try #require(sale["sources"] as? [[String: Any]])
            #expect(sources.count == 1 && sources[0]["kind"] as? String == "children")
            #expect(sources[0]["reference"] as? String == "public.sale.customer" && sources[0]["rows"] as? Int == 2)
        }
    }
}
