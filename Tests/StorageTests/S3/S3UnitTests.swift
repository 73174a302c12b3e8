import Foundation
import Testing

@testable import Storage

@Suite("Parts of the S3 client")
struct S3UnitTests {
    @Test("Sizes of parts reach 5 TiB within S3's limits, and are small at first")
    func partSizes() {
        let sizes = (1...PartSizes.maximumParts).map(PartSizes.size(ofPart:))
        #expect(sizes.reduce(0, +) >= 5 << 40)
        #expect(sizes.allSatisfy { $0 >= 5 << 20 && $0 <= 5 << 30 })
        #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 <= $1 })
        let memory = sizes.indices.map { sizes[$0] * (PartSizes.partsInFlight(ofPart: $0 + 1) + 1) }
        // One gigabyte, and the first sixty-three.
        #expect(memory[..<171].allSatisfy { $0 <= 36 << 20 })
        #expect(memory[..<4700].allSatisfy { $0 <= 48 << 20 })
        #expect(sizes[..<4700].reduce(0, +) >= 63 << 30)
    }

    /// The parts of an object, of which more and more is known.
    private func parts(of size: Int64, expecting: (_ sent: Int) -> Int64?) -> [Int] {
        var (sizes, sent): ([Int], Int) = ([], 0)
        while sent < size, sizes.count < PartSizes.maximumParts {
            sizes.append(PartSizes.size(ofPart: sizes.count + 1, after: sent, expecting: expecting(sent)))
            sent += sizes.last ?? 0
        }
        #expect(sent >= size)
        return sizes
    }

    @Test(
        "Parts are as small as the expected size allows: 34 MiB for a terabyte that is compressed to a quarter",
        arguments: [(1, 6), (10, 6), (45, 6), (256, 34), (1024, 133), (5120, 660)]
    )
    func foreseenSizes(gibibytes: Int64, largest: Int) {
        let sizes = parts(of: gibibytes << 30) { _ in gibibytes << 30 }
        #expect(sizes.allSatisfy { $0 >= 6 << 20 && $0 <= largest << 20 })
        let memory = sizes.map { $0 * (PartSizes.partsInFlight(ofSize: $0) + 1) }
        #expect(memory.allSatisfy { $0 <= max(150 << 20, largest << 21) })
        // Smaller than expected.
        #expect(parts(of: gibibytes << 29) { _ in gibibytes << 30 }.allSatisfy { $0 <= largest << 20 })
    }

    @Test("An object that grows beyond what was expected fits all the same, up to 4 TiB", arguments: [1, 50, 256])
    func exceededSizes(gibibytes: Int64) {
        let expected = gibibytes << 30
        for size in [expected * 3 / 2, expected * 4, Int64(4) << 40] {
            _ = parts(of: size) { _ in expected }
            _ = parts(of: size) { $0 > expected * 3 / 2 ? nil : max(expected, Int64($0) * 5 / 4) }
        }
        // Not by a leap: half as much again takes parts of less than 128 MiB.
        let sizes = parts(of: expected * 3 / 2) { max(expected, Int64($0) * 5 / 4) }
        #expect(sizes.allSatisfy { $0 <= max(128 << 20, Int(expected) / 800) })
    }

    @Test("Pauses are random up to a limit that doubles")
    func pauses() {
        var policy = RetryPolicy()
        policy.random = { 1 }
        let limits = (1...12).map { policy.pause(afterAttempt: $0) }
        #expect(limits[..<4] == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(limits[11] == policy.longestPause)
        policy.random = { 0.25 }
        #expect(policy.pause(afterAttempt: 3) == .milliseconds(100))
    }

    @Test(
        "The bucket is named in the host or in the path",
        arguments: [
            (nil, "auto", "bucket", "https://bucket.s3.eu-central-1.amazonaws.com/a%20b/c"),
            (nil, "auto", "my.bucket", "https://s3.eu-central-1.amazonaws.com/my.bucket/a%20b/c"),
            (nil, "path", "bucket", "https://s3.eu-central-1.amazonaws.com/bucket/a%20b/c"),
            ("http://127.0.0.1:9000", "auto", "bucket", "http://127.0.0.1:9000/bucket/a%20b/c"),
            ("http://127.0.0.1:9000/", "virtual", "bucket", "http://bucket.127.0.0.1:9000/a%20b/c"),
            ("https://store.example:443/s3/", "auto", "bucket", "https://store.example/s3/bucket/a%20b/c"),
            ("http://[::1]:9000", "auto", "bucket", "http://[::1]:9000/bucket/a%20b/c"),
        ]
    )
    func addresses(url: String?, style: String, bucket: String, expected: String) throws {
        let style = try #require(S3Options.AddressingStyle(rawValue: style))
        let endpoint =
            try url.map { try S3Endpoint(url: $0, style: style) } ?? .amazon(region: "eu-central-1", style: style)
        let (host, path) = endpoint.address(bucket: bucket, key: "a b/c")
        #expect("\(endpoint.scheme)://\(host)\(path)" == expected)
    }

    @Test(
        "An endpoint that is not the URL of a server is refused without showing its password",
        arguments: ["127.0.0.1:9000", "ftp://x", "", "http://u:secret@h"]
    )
    func endpoints(url: String) {
        let error = #expect(throws: StorageError.self) { try S3Endpoint(url: url, style: .auto) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.description.contains("give one like https://s3.example.com") == true)
        #expect(error?.description.contains("secret") == false)
    }

    @Test(
        "An endpoint that contains the bucket is refused, and one that only begins like it is not",
        arguments: [
            ("https://my-data.s3.eu-central-1.amazonaws.com", "my-data", true),
            ("https://my-data.s3-eu-west-1.amazonaws.com", "my-data", true),
            ("https://my-data.nyc3.digitaloceanspaces.com", "my-data", true),
            ("https://my-data.0123.r2.cloudflarestorage.com", "my-data", true),
            ("http://my-data.s3.local:9000", "my-data", true), ("http://127.0.0.1:9000/my-data", "my-data", true),
            ("https://store.example/s3/my-data/", "my-data", true), ("https://my-data.example.com", "my-data", false),
            ("https://s3.my-data.com", "my-data", false), ("https://my-database.s3.local", "my-data", false),
            ("http://127.0.0.1:9000/s3", "my-data", false), ("https://nyc3.digitaloceanspaces.com", "nyc3", false),
            ("https://s3.eu-central-1.amazonaws.com", "my-data", false),
        ]
    )
    func bucketInEndpoint(url: String, bucket: String, isRefused: Bool) throws {
        let endpoint = try S3Endpoint(url: url, style: .auto)
        guard isRefused else { return try endpoint.refuse(bucket: bucket) }
        let error = #expect(throws: StorageError.self) { try endpoint.refuse(bucket: bucket) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.hasSuffix(" contains the bucket my-data") == true)
    }

    @Test(
        "Proxies come from the environment, and exceptions are by host and domain",
        arguments: [
            ("https://s3.example.com/x", "secure.example:8080"), ("http://s3.example.com:9000", "plain:80"),
            ("https://inside.corp.example", nil), ("https://corp.example", nil), ("https://notcorp.example", "secure"),
            ("http://169.254.169.254/latest", nil), ("http://host:9001/x", nil), ("http://host:9000/x", "plain"),
            ("http://[::1]:9000/x", nil),
        ]
    )
    func proxies(url: String, expected: String?) throws {
        let settings = ProxySettings([
            "https_proxy": "http://secure.example:8080", "HTTPS_PROXY": "http://other", "HTTP_PROXY": "plain",
            "NO_PROXY": " .corp.example, 169.254.169.254,host:9001,::1,",
        ])
        let proxy = try settings.proxy(for: url)
        let address = proxy.map { "\($0.host):\($0.port)" }
        #expect(expected.map { address?.hasPrefix($0) == true } ?? (address == nil))
        let everywhere = ProxySettings(["HTTP_PROXY": "p", "HTTPS_PROXY": "p", "no_proxy": "*"])
        #expect(try everywhere.proxy(for: url) == nil)
        #expect(try ProxySettings(["HTTP_PROXY": "", "https_proxy": ""]).proxy(for: url) == nil)
    }

    @Test("A proxy's password is used and never shown", arguments: ["socks5://u:secret@h", "https://u:secret@h"])
    func badProxy(url: String) throws {
        let good = try ProxySettings(["HTTP_PROXY": "http://u:s%40cret@h:1"]).proxy(for: "http://x")
        #expect(good?.authorization == Data("u:s@cret".utf8).base64EncodedString())
        let error = #expect(throws: StorageError.self) {
            try ProxySettings(["HTTP_PROXY": url]).proxy(for: "http://x")
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.description.contains("HTTP_PROXY is ") == true)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("Amazon's servers in China have their own domain")
    func china() {
        #expect(S3Endpoint.amazon(region: "cn-north-1", style: .auto).host == "s3.cn-north-1.amazonaws.com.cn")
    }

    @Test("Options are shown without secrets")
    func options() {
        let options = S3Options(
            accessKeyID: "AKID",
            secretAccessKey: "wJal",
            sessionToken: "tok",
            region: "r",
            profile: "p"
        )
        var dumped = ""
        dump(options, to: &dumped)
        for text in ["\(options)", String(reflecting: options), dumped] {
            #expect(!text.contains("wJal") && !text.contains("tok)") && !text.contains("AKID"))
        }
        #expect(
            "\(options)"
                == "S3(access key id: ***, secret: ***, session token: ***, region: r, profile: p, addressing: auto)"
        )
        let credentials = Credentials(accessKeyID: "AKID", secretAccessKey: "wJal", source: "a test")
        #expect("\(credentials)" == "credentials from a test")
    }

    @Test("The dates of HTTP and of listings are parsed")
    func dates() {
        #expect(Date(http: "Fri, 24 May 2013 00:00:00 GMT") == Date(timeIntervalSince1970: 1_369_353_600))
        #expect(Date(http: "Sun, 01 Dec 2024 23:59:59 GMT") == Date(timeIntervalSince1970: 1_733_097_599))
        #expect(Date(http: "yesterday") == nil)
        #expect(date(iso8601: "2013-05-24T00:00:00.500Z")?.timeIntervalSince1970 == 1_369_353_600.5)
        #expect(date(iso8601: "2013-05-24T00:00:00Z")?.timeIntervalSince1970 == 1_369_353_600)
    }

    @Test(
        "The encoding of listings is undone",
        arguments: [("a+b%2Bc%C3%A4", "a b+cä"), ("%", nil), ("%zz", nil), ("%ff", nil)]
    )
    func decoding(text: String, expected: String?) {
        #expect(uriDecoded(text) == expected)
    }

    @Test(
        "An error in a reply of status 200 is found, and only at its root",
        arguments: [
            ("<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>", true),
            ("<Error xmlns=\"x\"><Code>a</Code></Error>", true),
            ("<?xml version=\"1.0\"?><DeleteResult><Error><Key>k</Key></Error></DeleteResult>", false), ("", false),
        ]
    )
    func errorBodies(body: String, isError: Bool) {
        #expect(S3ErrorReply.isError(Data(body.utf8)) == isError)
    }
}
