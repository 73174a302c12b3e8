import NIOCore

/// Which parts of a multipart upload the pieces of a file become, in whatever order they are written.
///
/// Each piece has numbers of its own for its parts, in the order of the pieces; they need not be used up. S3 takes parts of
/// 5 MiB or more, except the last one of all. So the end of a piece, if it is shorter, belongs to the part before it; and what
/// is shorter altogether is put before the first part of the next piece, which is held back until it is known that there is
/// nothing to be put before it: as a rule at once, because a piece that has 5 MiB leaves nothing to others.
struct PieceParts {
    /// Bytes that are ready to be sent.
    struct Ready {
        let number: Int
        let body: ByteBuffer
    }

    private struct Piece {
        /// Its own parts are there, or will be: no other piece is to take any of its bytes.
        var standsAlone = false
        /// All of it was read: it will not be written again.
        var isComplete = false
        /// All of it, if it does not stand alone; else its first part, until that was sent.
        var held = ByteBuffer()
        /// The parts that were sent, with their sizes.
        var parts: [(part: S3Document.Part, size: Int)] = []
    }

    /// The size that a part must have unless it is the last one, in bytes ("Amazon S3 multipart upload limits").
    static let minimumSize = 5 << 20

    let numbering: PartNumbering
    private let minimum: Int
    private var pieces: [Piece]

    /// - Parameters:
    ///   - count: The number of pieces.
    ///   - minimum: The size that a part must have unless it is the last one, in bytes.
    init(count: Int, minimum: Int = PieceParts.minimumSize) {
        self.minimum = minimum
        pieces = Array(repeating: Piece(), count: count)
        numbering = PartNumbering(pieces: count)
    }

    /// A piece is written from its beginning; what there was of it does not count.
    mutating func restart(_ piece: Int) { pieces[piece] = Piece() }

    /// A piece has enough bytes for parts of its own.
    ///
    /// - Parameters:
    ///   - piece: Its index.
    ///   - head: Its first part.
    mutating func stand(_ piece: Int, head: ByteBuffer) {
        pieces[piece].standsAlone = true
        pieces[piece].held = head
    }

    /// Takes a piece's first part out, if nothing will be put before it.
    mutating func takeHead(_ piece: Int) -> Ready? {
        guard pieces[piece].held.readableBytes > 0,
            pieces[..<piece].last(where: { $0.standsAlone || !$0.isComplete || $0.held.readableBytes > 0 })
                .map(\.standsAlone) ?? true
        else { return nil }
        defer { pieces[piece].held = ByteBuffer() }
        return Ready(number: numbering.number(0, of: piece), body: pieces[piece].held)
    }

    /// A piece was read to its end.
    ///
    /// - Parameters:
    ///   - piece: The piece.
    ///   - rest: All of it, if it does not stand alone.
    mutating func complete(_ piece: Int, rest: ByteBuffer = ByteBuffer()) {
        pieces[piece].isComplete = true
        if !pieces[piece].standsAlone { pieces[piece].held = rest }
    }

    /// Takes out what can be sent of pieces that are complete: neighbours that are short together, and first parts with
    /// what comes before them.
    mutating func takeReady() -> [Ready] {
        var ready: [Ready] = []
        /// Short pieces that nothing will be put before.
        var short: [Int] = []
        var isKnown = true
        for index in pieces.indices {
            if !pieces[index].standsAlone, !pieces[index].isComplete {
                (short, isKnown) = ([], false)
                continue
            }
            let isEnough = pieces[index].standsAlone || size(of: short + [index]) >= minimum
            if isKnown, pieces[index].held.readableBytes > 0 { short.append(index) }
            guard isEnough else { continue }
            // The first number of the last one is free: of its own parts the first is among these bytes, or it has none.
            if isKnown, pieces[index].isComplete, let last = short.last {
                ready.append(Ready(number: numbering.number(0, of: last), body: take(short)))
            }
            (short, isKnown) = ([], true)
        }
        return ready
    }

    /// Takes out what is left when all pieces are complete and what is ready was sent.
    ///
    /// - Parameter end: What follows the last piece.
    /// - Returns: The last part, which may be as short as it is; nil when nothing is left.
    mutating func takeLast(_ end: [UInt8]) -> Ready? {
        var body = take(Array(pieces.indices))
        body.writeBytes(end)
        return body.readableBytes == 0 ? nil : Ready(number: PartSizes.maximumParts, body: body)
    }

    private func size(of indices: [Int]) -> Int { indices.reduce(0) { $0 + pieces[$1].held.readableBytes } }

    private mutating func take(_ indices: [Int]) -> ByteBuffer {
        var body = ByteBuffer()
        for index in indices {
            if body.readableBytes == 0 { body = pieces[index].held } else { body.writeBuffer(&pieces[index].held) }
            pieces[index].held = ByteBuffer()
        }
        return body
    }

    /// Records a part that the server has.
    mutating func sent(_ part: S3Document.Part, size: Int, of piece: Int) {
        pieces[piece].parts.append((part, size))
    }

    /// All parts that the server has, in their order.
    var parts: [S3Document.Part] { pieces.flatMap(\.parts).map(\.part).sorted { $0.number < $1.number } }

    /// The bytes of all parts.
    var size: Int { pieces.flatMap(\.parts).reduce(0) { $0 + $1.size } }

    var isComplete: Bool { pieces.allSatisfy(\.isComplete) }
}

/// The numbers and sizes of the parts of pieces.
struct PartNumbering {
    /// How many numbers each piece has; the last number of all is that of what remains at the end.
    let count: Int

    init(pieces: Int) {
        count = (PartSizes.maximumParts - 1) / max(pieces, 1)
    }

    /// The number of a part in the upload.
    ///
    /// - Parameters:
    ///   - index: Which part of the piece it is, from 0.
    ///   - piece: The piece.
    /// - Returns: From 1.
    func number(_ index: Int, of piece: Int) -> Int { 1 + piece * count + index }

    /// The size of a part in bytes: the pieces together can be as large as an object that is written as one.
    ///
    /// - Parameter index: Which part of its piece it is, from 0.
    /// - Returns: Bytes.
    func size(_ index: Int) -> Int { PartSizes.size(ofPart: scaled(index)) }

    /// How many parts may be on their way while the next one is gathered.
    ///
    /// - Parameter index: Which part of its piece is gathered, from 0.
    /// - Returns: At least 1.
    func partsInFlight(_ index: Int) -> Int { PartSizes.partsInFlight(ofPart: scaled(index)) }

    private func scaled(_ index: Int) -> Int { 1 + index * PartSizes.maximumParts / count }
}
