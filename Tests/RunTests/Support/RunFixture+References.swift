import DatabudgieTestSupport
import Testing

@testable import Databudgie

/// Tables that refer to one another, of which a restore truncates and loads the first.
extension RunFixture {
    /// In the target `refund` refers to `sale`, and `sale` to `product`, which has the row 9 and a file with the row 1.
    ///
    /// - Parameters:
    ///   - more: SQL to run in the target as well.
    ///   - body: Uses the fixture.
    /// - Throws: What the body throws.
    static func withReferences(
        _ more: String = "",
        _ body: (RunFixture) async throws -> Void
    ) async throws {
        try await with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key);
                create table sale (id int primary key, product int references product);
                create table refund (sale int references sale);
                insert into product values (9);
                """ + more
            )
            try fixture.write("id\n1\n", to: "public.product/2024-01-01T00:00:00.csv")
            try await body(fixture)
        }
    }

    /// In the target `event` refers to `kind`, which has the row 9 and a file with the row 1; both are partitioned.
    ///
    /// - Parameters:
    ///   - more: SQL to run in the target as well.
    ///   - body: Uses the fixture.
    /// - Throws: What the body throws.
    static func withPartitionedReferences(
        _ more: String = "",
        _ body: (RunFixture) async throws -> Void
    ) async throws {
        try await with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table kind (id int primary key) partition by range (id);
                create table kind_a partition of kind for values from (0) to (10);
                create table event (id int, kind int references kind) partition by range (id);
                create table event_a partition of event for values from (0) to (10);
                insert into kind values (9);
                """ + more
            )
            try fixture.write("id\n1\n", to: "public.kind/2024-01-01T00:00:00.csv")
            try await body(fixture)
        }
    }
}
