import Testing

@testable import Databudgie

@Suite("Sentry's addresses")
struct SentryDSNTests {
    @Test(
        "An address leads to the project's envelope endpoint",
        arguments: [
            ("https://abc@o1.ingest.sentry.io/42", "https://o1.ingest.sentry.io/api/42/envelope/"),
            ("http://abc@localhost:9000/1", "http://localhost:9000/api/1/envelope/"),
            ("https://abc@example.com/some/path/7", "https://example.com/some/path/api/7/envelope/"),
            ("HTTPS://abc:def@[::1]:8443/7", "https://[::1]:8443/api/7/envelope/"),
            ("https://abc@example.com/7?verify_ssl=0", "https://example.com/api/7/envelope/"),
        ]
    )
    func endpoints(text: String, url: String) throws {
        let dsn = try #require(SentryDSN(text))
        #expect(dsn.envelopeURL == url)
        #expect(dsn.publicKey == "abc")
        #expect(dsn.secretKey == (text.contains(":def@") ? "def" : nil))
    }

    @Test("An address shows no key, however it is printed")
    func secrecy() throws {
        let dsn = try #require(SentryDSN("https://publicsecret:privatesecret@example.com:8443/some/7"))
        var dumped = ""
        dump(SentryConfiguration(dsn: dsn, version: nil), to: &dumped)
        for text in ["\(dsn)", String(reflecting: dsn), dumped] {
            #expect(text.contains("https://***@example.com:8443/some/7"))
            #expect(!text.contains("secret"))
        }
    }

    @Test(
        "A text that is not an address is a warning, in one line that shows no key, and nothing is reported",
        arguments: [
            "hiddenkey", "https://example.com/1", "https://hiddenkey@example.com", "https://hiddenkey@example.com/",
            "ftp://hiddenkey@example.com/1", "https://hiddenkey@/1", "https://hiddenkey,a=b@example.com/1",
            "https://hiddenkey@example.com:99999/1", "https://hidden key@example.com/1", "//hiddenkey@example.com/1",
            "https://hiddenkey@example.com/a b", "https://@example.com/1", "https://hiddenkey:@example.com/1",
        ]
    )
    func warning(text: String) throws {
        let configuration = try configuration("\nsentry: {sentry_dsn: '\(text)'}")
        #expect(configuration.sentry == nil)
        #expect(
            configuration.warnings.map(\.description) == [
                "test.yaml:2: 'sentry_dsn' is not the address of a Sentry project, so failures are not reported there; "
                    + "write it as https://key@host/project, or remove it"
            ]
        )
    }

    @Test(
        "An address that is empty or null switches reporting off",
        arguments: ["''", "null", "'<% ENV[DSN, null] %>'"]
    )
    func off(value: String) throws {
        #expect(try configuration("sentry: {sentry_dsn: \(value), version: 1}").sentry == nil)
    }

    @Test("An address comes with the environment and the release of the configuration")
    func settings() throws {
        let root = try configuration("environment: staging\nsentry: {dsn: 'https://k@h/1', version: 3}").sentry
        #expect(root?.environment == "staging")
        #expect(root?.version == "3")
        let own = try configuration(
            "environment: staging\nsentry: {sentry_dsn: 'https://k@h/1', environment: live, version: ''}"
        )
        #expect(own.sentry?.environment == "live")
        #expect(own.sentry?.version == nil)
        #expect(own.warnings.isEmpty)
    }
}
