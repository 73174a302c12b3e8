#if DATABUDGIE_FAIL_POINTS
    import Testing

    @testable import Databudgie

    @Suite("Fail points")
    struct FailPointTests {
        @Test("At each of them a program is killed in some test")
        func all() {
            let moments =
                KilledBackupTests.moments + KilledBackupTests.ranges + KilledRestoreTests.loads
                + KilledRestoreTests.creations
                + KilledRestoreTests.divisions + KilledRestoreTests.replaced + KilledRestoreTests.whole
                + KilledRestoreTests.resets
                + KilledPruneTests.removals
                + KilledPruneTests.orphans + KilledPruneTests.leftovers + KilledPruneTests.results
                + KilledPruneTests.drills
            #expect(Set(FailPoint.allCases).subtracting(moments.map(\.point)).isEmpty)
        }

        @Test(
            "An order that is not one ends the program",
            arguments: ["", "kill", "setClaimed", "setClaimed:", "setClaimed:hup", "nowhere:kill", "setClaimed:kill:x"]
        )
        func mistakes(order: String) async throws {
            try await Shop.with { shop in
                try shop.configure("tables: [public.products]")
                var program = shop.program
                program.environment["DATABUDGIE_FAIL_POINT"] = order
                let outcome = try await program.run("backup")
                #expect(outcome.status == 70)
                #expect(
                    outcome.error.hasSuffix("DATABUDGIE_FAIL_POINT is not an order: \(order)\n"),
                    "\(outcome.error)"
                )
            }
        }

        @Test("An order for another point changes nothing")
        func others() async throws {
            try await Shop.with { shop in
                try shop.configure("tables: [public.products]")
                var program = shop.program
                program.environment["DATABUDGIE_FAIL_POINT"] = "groupCommitted:kill"
                let outcome = try await program.run("backup")
                #expect(outcome.status == 0, "\(outcome.error)")
            }
        }
    }
#endif
