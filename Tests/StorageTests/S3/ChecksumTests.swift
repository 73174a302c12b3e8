import Testing

@testable import Storage

@Suite("Checksums of objects")
struct ChecksumTests {
    /// The check values of the catalogue of parametrised CRC algorithms, for the text "123456789".
    @Test(
        "Checksums have the catalogued check values",
        arguments: [("crc32", "cbf43926"), ("crc32c", "e3069283"), ("crc64nvme", "ae8b14860a799888")]
    )
    func checkValues(name: String, expected: String) {
        var check =
            switch name {
            case "crc32": CyclicRedundancyCheck.crc32()
            case "crc32c": CyclicRedundancyCheck.crc32C()
            default: CyclicRedundancyCheck.crc64NVME()
            }
        check.update(Array("1234".utf8))
        check.update(Array("56789".utf8))
        #expect(hexadecimal(check.bytes) == expected)
    }

    @Test("Checksums do not depend on how the bytes are cut", arguments: [1, 7, 8, 9, 1000])
    func pieces(size: Int) {
        let bytes = pattern(10_000)
        var (whole, cut) = (CyclicRedundancyCheck.crc64NVME(), CyclicRedundancyCheck.crc64NVME())
        whole.update(bytes)
        for start in stride(from: 0, to: bytes.count, by: size) {
            cut.update(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(whole.bytes == cut.bytes)
    }

    /// Values of `hello`, by other tools.
    @Test(
        "Checksums are found in a reply's headers and detect a flipped bit",
        arguments: [
            ["etag": "\"5d41402abc4b2a76b9719d911017c592\""],
            ["etag": "\"5d41402abc4b2a76b9719d911017c592\"", "x-amz-server-side-encryption": "AES256"],
            ["x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="],
            ["x-amz-checksum-sha1": "qvTGHdzF6KLavt4PO0gs2a6pQ00="], ["x-amz-checksum-crc32": "NhCmhg=="],
            ["x-amz-checksum-crc32c": "mnG7TA==", "etag": "\"00000000000000000000000000000000\""],
        ]
    )
    func headers(headers: [String: String]) throws {
        var right = try #require(ObjectChecksum { headers[$0] })
        right.update(Array("hel".utf8))
        right.update(Array("lo".utf8))
        #expect(right.isRight())
        var wrong = try #require(ObjectChecksum { headers[$0] })
        wrong.update(Array("hellp".utf8))
        #expect(!wrong.isRight())
    }

    @Test(
        "Checksums are not made up when a reply has none",
        arguments: [
            ["etag": "\"5d41402abc4b2a76b9719d911017c592-2\""],
            ["etag": "\"5d41402abc4b2a76b9719d911017c592\"", "x-amz-server-side-encryption": "aws:kms"],
            [
                "etag": "\"5d41402abc4b2a76b9719d911017c592\"",
                "x-amz-server-side-encryption-customer-algorithm": "AES256",
            ],
            [
                "etag": "\"5d41402abc4b2a76b9719d911017c592-1\"", "x-amz-checksum-crc32": "NhCmhg==",
                "x-amz-checksum-type": "COMPOSITE",
            ],
            ["x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=-3"], [:],
        ]
    )
    func none(headers: [String: String]) {
        #expect(ObjectChecksum { headers[$0] } == nil)
    }
}
