import NIOCore
import Synchronization

/// An object that is written in pieces: one multipart upload, in which each piece has part numbers of its own.
final class S3Pieces: PiecewiseWrite {
    private struct SentPart: Sendable {
        let part: S3Document.Part
        let size: Int
    }

    private let upload: S3Upload
    private let id: String
    private let numbering: PartNumbering
    private let state: Mutex<PieceParts>
    private let isPublished = Mutex(false)

    private init(upload: S3Upload, id: String, count: Int) {
        (self.upload, self.id) = (upload, id)
        state = Mutex(PieceParts(count: count))
        numbering = PartNumbering(pieces: count)
    }

    /// Begins an upload.
    ///
    /// - Parameters:
    ///   - upload: Knows the object.
    ///   - count: The number of pieces.
    /// - Returns: Takes the pieces.
    /// - Throws: `StorageError` when the object exists and must not; `CancellationError`.
    static func begin(_ upload: S3Upload, count: Int) async throws -> S3Pieces {
        _ = try await upload.refuseExisting()
        try Task.checkCancellation()
        return S3Pieces(upload: upload, id: try await upload.begin(), count: count)
    }

    func write<Bytes: AsyncSequence & Sendable>(
        _ piece: Int,
        from bytes: Bytes
    ) async throws where Bytes.Element == [UInt8] {
        state.withLock { $0.restart(piece) }
        let sent = try await withThrowingTaskGroup(of: SentPart.self) { group in
            var reader = PartReader(bytes.makeAsyncIterator())
            var parts = PartsUnderWay(piece: piece)
            try await send(piece, &reader, &group, &parts)
            // All of it was read, so it is not written again, whatever its connection does; others' bytes can be sent with it.
            for ready in state.withLock({ $0.takeReady() }) { try await begin(ready, &group, &parts) }
            while parts.count > 0 { try await parts.collect(from: &group) }
            return parts.sent
        }
        try Task.checkCancellation()
        state.withLock { state in sent.forEach { state.sent($0.part, size: $0.size, of: piece) } }
    }

    func publish(_ end: [UInt8]) async throws -> FileInfo {
        let (ready, last, isComplete) = state.withLock { ($0.takeReady(), $0.takeLast(end), $0.isComplete) }
        guard isComplete else {
            throw StorageError(.inputOutput, "\(upload.path) cannot be written: not all of its pieces are there")
        }
        do {
            for part in ready + (last.map { [$0] } ?? []) {
                let sent = try await upload.send(part.body, as: part.number, of: id)
                state.withLock { $0.sent(sent.part, size: sent.buffer.readableBytes, of: 0) }
            }
            try Task.checkCancellation()
            let (parts, size) = state.withLock { ($0.parts, $0.size) }
            let isKnownFree = try await upload.refuseExisting()
            let info = try await upload.complete(id, parts, size: size, isKnownFree: isKnownFree)
            isPublished.withLock { $0 = true }
            return info
        } catch {
            let info = try await upload.settle(error) { [upload, id] in try await upload.abort(id) }
            isPublished.withLock { $0 = true }
            return info
        }
    }

    func discard() async {
        guard !isPublished.withLock({ $0 }) else { return }
        _ = try? await upload.settle(CancellationError()) { [upload, id] in try await upload.abort(id) }
    }

    // MARK: One piece

    /// The parts of a piece that are on their way.
    private struct PartsUnderWay {
        let piece: Int
        var count = 0
        var sent: [SentPart] = []

        mutating func collect(from group: inout ThrowingTaskGroup<SentPart, any Error>) async throws {
            guard let part = try await group.next() else { return }
            count -= 1
            sent.append(part)
        }
    }

    /// Reads a piece and sends its parts; what is too short for one is kept.
    private func send<Source: AsyncIteratorProtocol>(
        _ piece: Int,
        _ reader: inout PartReader<Source>,
        _ group: inout ThrowingTaskGroup<SentPart, any Error>,
        _ parts: inout PartsUnderWay
    ) async throws where Source.Element == [UInt8] {
        var next = ByteBuffer()
        try await reader.fill(&next, upTo: numbering.size(0))
        guard !reader.isAtEnd || next.readableBytes >= PieceParts.minimumSize else {
            return state.withLock { [next] in $0.complete(piece, rest: next) }
        }
        var index = 0
        while next.readableBytes > 0 {
            guard index < numbering.count else { throw tooLarge(piece) }
            var part = next
            next = ByteBuffer()
            if !reader.isAtEnd {
                try await reader.fill(&next, upTo: numbering.size(index + 1))
                if reader.isAtEnd, next.readableBytes < PieceParts.minimumSize { part.writeBuffer(&next) }
            }
            if index == 0 {
                state.withLock { [part] in $0.stand(piece, head: part) }
            } else {
                let ready = PieceParts.Ready(number: numbering.number(index, of: piece), body: part)
                try await begin(ready, &group, &parts, limit: numbering.partsInFlight(index))
            }
            if let head = state.withLock({ $0.takeHead(piece) }) { try await begin(head, &group, &parts) }
            index += 1
        }
        state.withLock { $0.complete(piece) }
    }

    private func begin(
        _ ready: PieceParts.Ready,
        _ group: inout ThrowingTaskGroup<SentPart, any Error>,
        _ parts: inout PartsUnderWay,
        limit: Int = 3
    ) async throws {
        while parts.count >= limit { try await parts.collect(from: &group) }
        parts.count += 1
        group.addTask { [upload, id] in
            let sent = try await upload.send(ready.body, as: ready.number, of: id)
            return SentPart(part: sent.part, size: sent.buffer.readableBytes)
        }
    }

    private func tooLarge(_ piece: Int) -> StorageError {
        StorageError(
            .rejected,
            "\(upload.path) cannot be written in pieces: piece \(piece + 1) has more parts than S3 has numbers for it",
            hint: "write it as one",
            path: upload.path
        )
    }
}
