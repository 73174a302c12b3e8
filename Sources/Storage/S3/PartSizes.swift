/// How large each part of a multipart upload is.
///
/// S3 takes 10,000 parts of 5 MiB to 5 GiB ("Amazon S3 multipart upload limits"). All of a part is in memory while it is
/// on its way. When nobody knows how long the content is, parts begin small and grow only as far as 10,000 of them must
/// reach 5 TiB:
///
///     parts 1 to 1,000        6 MiB     up to 5.9 GiB
///     parts 1,001 to 4,700   16 MiB     up to  63 GiB
///     then doubled every 650 parts:  32 MiB up to 84 GiB, 256 MiB up to 368 GiB, 1 GiB up to 1.3 TiB, 4 GiB at the end
///
/// When it is foreseen, they are as small as it allows: 6 MiB up to 50 GiB, 34 MiB for 256 GiB, 133 MiB for 1 TiB.
enum PartSizes {
    static let maximumParts = 10_000

    private static let mebibyte = 1 << 20
    /// Foreseen content ends before this part, so some are left if there is more of it.
    private static let foreseenParts = 9_000

    /// The size of a part in bytes, of content of unknown length.
    /// - Parameter number: The part's number, from 1.
    /// - Returns: Bytes.
    static func size(ofPart number: Int) -> Int {
        switch number {
        case ...1_000: 6 * mebibyte
        case ...4_700: 16 * mebibyte
        default: min((16 * mebibyte) << ((number - 4_701) / 650 + 1), maximumSize)
        }
    }

    /// The size of a part in bytes.
    /// - Parameters:
    ///   - number: The part's number, from 1.
    ///   - sent: The bytes of the parts before.
    ///   - expected: How many bytes the content will probably have; nil when that is unknown.
    /// - Returns: Bytes.
    static func size(ofPart number: Int, after sent: Int, expecting expected: Int64?) -> Int {
        // More than was foreseen, and nobody knows how much more.
        guard let expected, number < foreseenParts, Int64(sent) < expected else { return size(ofPart: number) }
        // A tenth more, because it is an estimate; and no more than fits in all parts, which is more than S3 takes.
        let likely = min(expected, Int64(maximumParts) * Int64(maximumSize)) / 10 * 11
        let needed = Int(likely - Int64(sent)) / (foreseenParts - number)
        return min(max((needed / mebibyte + 1) * mebibyte, 6 * mebibyte), maximumSize)
    }

    /// How many parts may be on their way while the next one is gathered.
    static func partsInFlight(ofPart number: Int) -> Int {
        partsInFlight(ofSize: size(ofPart: number))
    }

    /// How many parts may be on their way while the next one is gathered.
    /// - Parameter size: The size of the next one, in bytes.
    /// - Returns: At least 1. With the next one, they take 36 MiB, then that of three parts up to 144 MiB, then that of two.
    static func partsInFlight(ofSize size: Int) -> Int {
        switch size {
        case ...(6 * mebibyte): 5
        case ...(48 * mebibyte): 2
        default: 1
        }
    }

    /// S3's limit for a part is 5 GiB; a `ByteBuffer` holds one byte less than 4 GiB.
    private static let maximumSize = 4095 * mebibyte
}
