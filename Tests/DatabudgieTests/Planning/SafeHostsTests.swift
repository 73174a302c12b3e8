import Testing

@testable import Databudgie

@Suite("Safe hosts")
struct SafeHostsTests {
    @Test(
        "A host is safe by its name, its address or the folder of its socket",
        arguments: [
            ("localhost", "::1"), ("LOCALHOST.", "127.0.0.1"), ("db", "127.0.0.1"), ("a.dev.example.com", "10.0.0.1"),
            ("A.B.DEV.example.com.", "10.0.0.1"), ("/var/run/postgresql", ""), ("/var/run", ""),
        ]
    )
    func safe(host: String, address: String) {
        let hosts = SafeHosts(["localhost", "127.0.0.1", "*.Dev.example.com", "/var/*", "/var/run"])
        #expect(hosts.contains(host: host, address: address, hasGivenAddress: false))
    }

    @Test(
        "Every other host is not, however similar its name is",
        arguments: [
            ("localhost.example.com", "10.0.0.1"), ("dev.example.com", "10.0.0.1"), ("adev.example.com", "10.0.0.1"),
            ("a.dev.example.com.evil.org", "10.0.0.1"), ("db", "127.0.0.10"), ("db", ""), ("/tmp", ""),
            ("/VAR/run", ""),
            ("", ""),
        ]
    )
    func unsafe(host: String, address: String) {
        let hosts = SafeHosts(["localhost", "127.0.0.1", "*.dev.example.com", "/var/*"])
        #expect(!hosts.contains(host: host, address: address, hasGivenAddress: false))
        #expect(!SafeHosts([]).contains(host: host, address: address, hasGivenAddress: false))
    }

    @Test("A name beside a given address says nothing about the server: the address counts")
    func givenAddress() {
        let hosts = SafeHosts(["localhost", "127.0.0.1"])
        #expect(!hosts.contains(host: "localhost", address: "10.0.0.1", hasGivenAddress: true))
        #expect(hosts.contains(host: "production", address: "127.0.0.1", hasGivenAddress: true))
    }
}
