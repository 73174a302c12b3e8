import DatabudgieTestSupport
import NIOCore
import Testing

@testable import Storage

@Suite("Parts of pieces")
struct PiecePartTests {
    private static let minimum = 500

    /// What the server would have, by part number.
    private struct Server {
        var parts: [Int: ByteBuffer] = [:]

        mutating func take(_ ready: PieceParts.Ready) {
            #expect(parts[ready.number] == nil, "part \(ready.number) twice")
            parts[ready.number] = ready.body
        }
    }

    /// Bytes that say which piece they are of.
    private func bytes(_ count: Int, of piece: Int) -> ByteBuffer {
        ByteBuffer(repeating: UInt8(piece), count: count)
    }

    @Test(
        "Whatever the sizes are and whoever is first, the parts are the pieces in order, and only the last is short",
        arguments: 1...40
    )
    func anyOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let choices = [0, 1, 100, 300, 499, 500, 600]
        let sizes = (0..<Int.random(in: 1...8, using: &random)).map { _ in choices.randomElement(using: &random) ?? 0 }
        var (parts, server) = (PieceParts(count: sizes.count, minimum: Self.minimum), Server())
        // Two steps for each piece: its first part is there, and it is complete.
        var steps = sizes.indices.flatMap { [$0, $0] }.shuffled(using: &random)
        var begun: Set<Int> = []
        while let piece = steps.popLast() {
            let standsAlone = sizes[piece] >= Self.minimum
            if begun.insert(piece).inserted {
                parts.restart(piece)
                if standsAlone { parts.stand(piece, head: bytes(sizes[piece], of: piece)) }
                if let head = parts.takeHead(piece) { server.take(head) }
            } else {
                if standsAlone, let head = parts.takeHead(piece) { server.take(head) }
                parts.complete(piece, rest: standsAlone ? ByteBuffer() : bytes(sizes[piece], of: piece))
                parts.takeReady().forEach { server.take($0) }
            }
        }
        #expect(parts.isComplete)
        parts.takeReady().forEach { server.take($0) }
        if let last = parts.takeLast([0xFF]) { server.take(last) }
        let sent = server.parts.sorted { $0.key < $1.key }
        #expect(sent.dropLast().allSatisfy { $0.value.readableBytes >= Self.minimum })
        #expect(sent.allSatisfy { (1...10_000).contains($0.key) })
        // Each part is a few runs of equal bytes: their lengths, in order.
        var runs: [(piece: UInt8, count: Int)] = []
        for (_, body) in sent {
            var rest = body.readableBytesView
            while let first = rest.first {
                let run = rest.prefix { $0 == first }.count
                rest = rest.dropFirst(run)
                if runs.last?.piece == first { runs[runs.count - 1].count += run } else { runs.append((first, run)) }
            }
        }
        let expected = sizes.enumerated().filter { $0.element > 0 }.map { (piece: UInt8($0.offset), count: $0.element) }
        #expect(runs.map(\.piece) == expected.map(\.piece) + [0xFF])
        #expect(runs.map(\.count) == expected.map(\.count) + [1])
    }

    @Test("A piece that stands alone lets the next one go, before it is complete")
    func heads() {
        var parts = PieceParts(count: 3, minimum: Self.minimum)
        parts.stand(1, head: bytes(600, of: 1))
        #expect(parts.takeHead(1) == nil)
        parts.stand(0, head: bytes(600, of: 0))
        #expect(parts.takeHead(1)?.number == parts.numbering.number(0, of: 1))
        #expect(parts.takeHead(1) == nil)
        parts.stand(2, head: bytes(600, of: 2))
        #expect(parts.takeHead(2)?.number == parts.numbering.number(0, of: 2))
        #expect(parts.takeReady().isEmpty)
    }

    @Test("Short pieces do not pile up: together they are sent as soon as they are enough")
    func shortPieces() {
        var parts = PieceParts(count: 9, minimum: Self.minimum)
        var sent = 0
        for piece in 0..<9 {
            parts.complete(piece, rest: bytes(200, of: piece))
            sent += parts.takeReady().count
            #expect(sent == (piece + 1) / 3)
        }
        #expect(parts.takeLast([]) == nil)
    }

    @Test("Pieces together may be as large as one object, and their numbers are their own", arguments: [1, 2, 32, 512])
    func numbering(pieces: Int) {
        let numbering = PartNumbering(pieces: pieces)
        let sizes = (0..<numbering.count).map { numbering.size($0) }
        #expect(sizes.reduce(0, +) * pieces > 4 << 40)
        #expect(sizes.allSatisfy { $0 >= PieceParts.minimumSize })
        #expect(numbering.number(numbering.count - 1, of: pieces - 1) < PartSizes.maximumParts)
        #expect(numbering.number(0, of: 1) > numbering.number(numbering.count - 1, of: 0))
    }
}
