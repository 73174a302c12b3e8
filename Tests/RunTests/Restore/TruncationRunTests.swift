import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores with truncate: true, and tables that refer to listed ones")
struct TruncationRunTests {
    @Test("Tables that are not listed and have no rows are truncated along with the listed one, at any distance")
    func empty() async throws {
        try await RunFixture.withReferences { fixture async throws in
            let log = EventLog()
            #expect(try await fixture.restore(fixture.yaml("[product]"), isDryRun: true, events: log).failed.isEmpty)
            #expect(try await fixture.restore(fixture.yaml("[product]"), events: log).failed.map(\.message) == [])
            #expect(log.warnings == [])
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["1"])
        }
    }

    @Test("With rows it is refused, and the message names the table that has them and how it refers to the listed one")
    func rows() async throws {
        try await RunFixture.withReferences("insert into refund values (null);") { fixture async throws in
            #expect(
                await fixture.preflightLines(fixture.yaml("[product]")) == [
                    "public.product: it cannot be truncated, because public.refund refers to it (by way of public.sale), has "
                        + "rows, and is not truncated in this restore; restore public.refund with truncate too, drop "
                        + "'truncate' for public.product, or empty both with 'truncate: cascade'"
                ]
            )
            try await fixture.execute(fixture.target, "insert into sale values (1, 9)")
            let lines = await fixture.preflightLines(fixture.yaml("[product]"))
            #expect(lines.count == 2)
            #expect(
                lines.contains {
                    $0.contains(
                        "public.sale refers to it (constraint sale_product_fkey), has rows, and is not truncated"
                    )
                }
            )
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["9"])
        }
    }

    @Test("A listed table that keeps its rows and has none is loaded after the truncation, in the same transaction")
    func keeping() async throws {
        try await RunFixture.withReferences { fixture async throws in
            try fixture.write("sale\n\n", to: "public.refund/2024-01-01T00:00:00.csv")
            let tables = "[{name: refund, truncate: false}, product]"
            let report = try await fixture.restore(fixture.yaml(tables))
            #expect(report.failed.map(\.message) == [])
            #expect(
                try await fixture.rows(fixture.target, "select product.id, sale from product, refund") == ["1|NULL"]
            )
            let again = await fixture.preflightLines(fixture.yaml(tables))
            #expect(again.first?.contains("public.refund refers to it (by way of public.sale), has rows") == true)
        }
    }

    @Test("A privilege that is missing on a table without rows is reported before anything is changed")
    func privileges() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.withReferences("grant all on product to \(role);") { fixture async throws in
                let limited = fixture.connected(as: role)
                let lines = await limited.preflightLines(fixture.yaml("[product]"))
                #expect(lines.count == 2)
                #expect(
                    lines.first
                        == "public.product: it cannot be truncated, because public.sale refers to it (constraint "
                        + "sale_product_fkey), and whether that table is empty cannot be checked; grant the role SELECT on "
                        + "public.sale, without policies that apply to it"
                )
                try await fixture.execute(fixture.target, "grant select on sale, refund to \(role)")
                let truncate = await limited.preflightLines(fixture.yaml("[product]"))
                #expect(truncate.count == 2)
                #expect(truncate.first?.contains("and the role lacks TRUNCATE on that table") == true)
                // Rows that a policy hides are rows.
                try await fixture.execute(
                    fixture.target,
                    """
                    grant truncate on sale, refund to \(role); insert into refund values (null);
                    alter table refund enable row level security;
                    """
                )
                let hidden = await limited.preflightLines(fixture.yaml("[product]"))
                #expect(hidden.first?.contains("whether that table is empty cannot be checked") == true)
                try await fixture.execute(
                    fixture.target,
                    "alter table refund disable row level security; truncate refund"
                )
                #expect(try await limited.restore(fixture.yaml("[product]")).failed.map(\.message) == [])
                #expect(try await fixture.rows(fixture.target, "select * from product") == ["1"])
            }
        }
    }

    @Test("Partitioned tables without rows are truncated along, whichever side they are on")
    func partitions() async throws {
        try await RunFixture.withPartitionedReferences { fixture async throws in
            #expect(try await fixture.restore(fixture.yaml("[kind]")).failed.map(\.message) == [])
            #expect(try await fixture.rows(fixture.target, "select * from kind") == ["1"])
            try await fixture.execute(fixture.target, "insert into event values (1, 1)")
            let lines = await fixture.preflightLines(fixture.yaml("[kind]"))
            #expect(lines.count == 1)
            #expect(
                lines.first?.contains("public.kind: it cannot be truncated, because public.event refers to it") == true
            )
        }
    }
}
