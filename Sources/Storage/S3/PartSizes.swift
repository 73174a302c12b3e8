/// How large each part of a multipart upload is, for content of unknown length.
///
/// S3 takes 10,000 parts of 5 MiB to 5 GiB ("Amazon S3 multipart upload limits"). All of a part is in memory while it is
/// on its way, so parts begin small and grow only as far as 10,000 of them must reach 5 TiB:
///
///     parts 1 to 1,000        6 MiB     up to 5.9 GiB
///     parts 1,001 to 4,700   16 MiB     up to  63 GiB
///     then doubled every 650 parts:  32 MiB up to 84 GiB, 256 MiB up to 368 GiB, 1 GiB up to 1.3 TiB, 4 GiB at the end
enum PartSizes {
    static let maximumParts = 10_000

    private static let mebibyte = 1 << 20

    /// The size of a part in bytes.
    /// - Parameter number: The part's number, from 1.
    /// - Returns: Bytes.
    static func size(ofPart number: Int) -> Int {
        switch number {
        case ...1_000: 6 * mebibyte
        case ...4_700: 16 * mebibyte
        default: min((16 * mebibyte) << ((number - 4_701) / 650 + 1), maximumSize)
        }
    }

    /// How many parts may be on their way while the next one is gathered.
    static func partsInFlight(ofPart number: Int) -> Int {
        switch size(ofPart: number) {
        case ...(6 * mebibyte): 3
        case ...(16 * mebibyte): 2
        default: 1
        }
    }

    /// S3's limit for a part is 5 GiB; a `ByteBuffer` holds one byte less than 4 GiB.
    private static let maximumSize = 4095 * mebibyte
}
