import Testing

@testable import Databudgie

@Suite("Numbers for people")
struct HumanNumberTests {
    @Test(
        "Thousands are set apart",
        arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_234, "-1,234")]
    )
    func counts(value: Int, expected: String) {
        #expect(HumanNumber.count(value) == expected)
    }

    @Test("One thing is in the singular")
    func nouns() {
        #expect(HumanNumber.count(1, "row") == "1 row")
        #expect(HumanNumber.count(0, "row") == "0 rows")
    }

    @Test(
        "Sizes have the unit that keeps them short",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (12_345_678, "12.3 MB"), (999_949, "999.9 kB"),
            (999_951, "1.0 MB"), (5_000_000_000, "5.0 GB"), (Int64.max, "9,223.4 PB"),
        ]
    )
    func bytes(value: Int64, expected: String) {
        #expect(HumanNumber.bytes(value) == expected)
    }

    @Test(
        "Durations have minutes and hours when they are long enough",
        arguments: [
            (Duration.zero, "0 ms"), (.microseconds(119_600), "120 ms"), (.microseconds(999_600), "1.0 s"),
            (.milliseconds(59_940), "59.9 s"),
            (.milliseconds(59_960), "1 min 00 s"), (.seconds(125), "2 min 05 s"), (.seconds(3_720), "1 h 02 min"),
        ]
    )
    func durations(value: Duration, expected: String) {
        #expect(HumanNumber.duration(value) == expected)
    }

    @Test(
        "A running clock shows hours when there are some",
        arguments: [(Duration.milliseconds(4_900), "0:04"), (.seconds(754), "12:34"), (.seconds(3_723), "1:02:03")]
    )
    func clock(value: Duration, expected: String) {
        #expect(HumanNumber.clock(value) == expected)
    }

    @Test("There is no rate when no time went by")
    func rate() {
        #expect(HumanNumber.megabytesPerSecond(5_000_000, over: .seconds(2)) == "2.5")
        #expect(HumanNumber.megabytesPerSecond(5_000_000, over: .zero) == nil)
    }

    @Test(
        "An age is in its largest unit",
        arguments: [
            (-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h"),
            (172_799, "47 h"),
            (172_800, "2 d"), (86_400 * 1_234, "1,234 d"),
        ] as [(Double, String)]
    )
    func age(seconds: Double, text: String) {
        #expect(HumanNumber.age(seconds) == text)
    }
}
