import Crypto
import FoundationEssentials

/// Compares the bytes of an object that is read whole with what the server knows about it.
///
/// Not every object can be checked like this: one that was uploaded in parts to a server that keeps no checksum of the
/// whole, or one encrypted with a key of KMS or the client without such a checksum, has none. There the checksums inside
/// gzip and zstd files are what notices a flipped bit.
struct ObjectChecksum {
    private enum State {
        case md5(Insecure.MD5)
        case sha1(Insecure.SHA1)
        case sha256(SHA256)
        case crc(CyclicRedundancyCheck)
    }

    private var state: State
    private let expected: [UInt8]

    /// Finds what a reply offers, the strongest first; nil when there is nothing to compare with.
    /// - Parameter header: Gives a header's value by its name in lower case.
    init?(header: (String) -> String?) {
        let algorithms: [(String, State)] = [
            ("sha256", .sha256(SHA256())), ("crc64nvme", .crc(.crc64NVME())), ("crc32c", .crc(.crc32C())),
            ("crc32", .crc(.crc32())), ("sha1", .sha1(Insecure.SHA1())),
        ]
        // A checksum of the parts' checksums says nothing about bytes whose parts are not known.
        let isComposite = header("x-amz-checksum-type")?.uppercased() == "COMPOSITE"
        for (name, state) in algorithms where !isComposite {
            guard let value = header("x-amz-checksum-\(name)"), let bytes = Data(base64Encoded: value)
            else {
                continue
            }
            self.state = state
            expected = Array(bytes)
            return
        }
        guard let bytes = Self.md5(header) else { return nil }
        state = .md5(Insecure.MD5())
        expected = bytes
    }

    /// The ETag, where it is the MD5 of the content: a plain one of an object that only the server itself encrypts.
    private static func md5(_ header: (String) -> String?) -> [UInt8]? {
        let encryption = header("x-amz-server-side-encryption")
        guard header("x-amz-server-side-encryption-customer-algorithm") == nil,
            encryption == nil || encryption == "AES256",
            let tag = header("etag").map(S3Reply.unquoted), tag.utf8.count == 32
        else { return nil }
        let digits = Array(tag.utf8)
        let values = digits.compactMap(\.hexadecimalValue)
        guard values.count == 32 else { return nil }
        return stride(from: 0, to: 32, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    mutating func update(_ bytes: [UInt8]) {
        switch state {
        case .md5(var hash):
            hash.update(data: bytes)
            state = .md5(hash)
        case .sha1(var hash):
            hash.update(data: bytes)
            state = .sha1(hash)
        case .sha256(var hash):
            hash.update(data: bytes)
            state = .sha256(hash)
        case .crc(var check):
            check.update(bytes)
            state = .crc(check)
        }
    }

    /// Whether all bytes were the right ones.
    func isRight() -> Bool {
        switch state {
        case .md5(let hash): Array(hash.finalize()) == expected
        case .sha1(let hash): Array(hash.finalize()) == expected
        case .sha256(let hash): Array(hash.finalize()) == expected
        case .crc(let check): check.bytes == expected
        }
    }
}
