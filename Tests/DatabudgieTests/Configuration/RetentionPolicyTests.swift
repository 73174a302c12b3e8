import Testing

@testable import Databudgie

@Suite("Retention in a configuration")
struct RetentionPolicyTests {
    @Test("The nearest level that has the key counts as a whole, and a null there hides what is above it")
    func levels() throws {
        func policy(_ yaml: String) throws -> RetentionPolicy? { try configuration(yaml).backup.retention }
        #expect(try policy("{}") == nil)
        #expect(try policy("retention: {keep_daily: 7}") == RetentionPolicy([.daily: .atMost(7)]))
        #expect(
            try policy("{retention: {keep_daily: 7}, backup: {retention: {keep_last: 2}}}")
                == RetentionPolicy([.last: .atMost(2)])
        )
        #expect(try policy("{retention: {keep_daily: 7}, backup: {retention: null}}") == nil)
    }

    @Test("It is read from YAML, JSON, TOML and environment variables alike")
    func formats() throws {
        let expected = RetentionPolicy([.daily: .atMost(7), .monthly: .unlimited], within: RetentionPeriod("36h"))
        let json = "{\"retention\": {\"keep_daily\": 7, \"keep_monthly\": \"unlimited\", \"keep_within\": \"36h\"}}"
        let toml = "[retention]\nkeep_daily = 7\nkeep_monthly = \"unlimited\"\nkeep_within = \"36h\"\n"
        #expect(try ConfigurationFixture(json, format: .json).load().backup.retention == expected)
        #expect(try ConfigurationFixture(toml, format: .toml).load().backup.retention == expected)
        let variables = [
            "DATABUDGIE_BACKUP__RETENTION__KEEP_DAILY": "7", "DATABUDGIE_BACKUP__RETENTION__KEEP_MONTHLY": "unlimited",
            "DATABUDGIE_BACKUP__RETENTION__KEEP_WITHIN": "36h", "DATABUDGIE_BACKUP__RETENTION__KEEP_LAST": "",
        ]
        #expect(try configuration("{}", environment: variables).backup.retention == expected)
    }

    @Test(
        "A length of time is numbers with their units, each unit once",
        arguments: [
            ("2y5m7d3h", "2y5m7d3h"), ("7d", "7d"), ("3h2d", "2d3h"), ("0y1m", "1m"), ("0d", "0h"),
            ("999999999h", "999999999h"),
        ]
    )
    func periods(text: String, description: String) throws {
        let period = try #require(RetentionPeriod(text))
        #expect(period.description == description)
        #expect(try #require(RetentionPeriod(description)) == period)
    }

    @Test(
        "Another text is not a length of time",
        arguments: [
            "", " ", "7", "d", "7 d", "7w", "7D", "-7d", "+7d", "7d7d", "7d8", "1234567890d", "٧d", "7d\u{301}", "1.5d",
        ]
    )
    func otherTexts(text: String) {
        #expect(RetentionPeriod(text) == nil)
    }

    @Test("A policy keeps nothing when all of its numbers are zero")
    func emptiness() {
        #expect(RetentionPolicy().keepsNothing)
        #expect(RetentionPolicy([.daily: .atMost(0), .last: .atMost(-3)], within: RetentionPeriod("0d")).keepsNothing)
        #expect(!RetentionPolicy([.daily: .atMost(1)]).keepsNothing)
        #expect(!RetentionPolicy([.daily: .unlimited]).keepsNothing)
        #expect(!RetentionPolicy(within: RetentionPeriod("1h")).keepsNothing)
    }
}
