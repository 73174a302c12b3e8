/// A file that several tasks write at the same time, a piece each, and that appears as a whole.
///
/// The pieces are laid one after the other, in the order of their numbers, whichever is finished first:
///
/// ```swift
/// let file = try await storage.writePieces(path, ifExists: .fail, count: 2)
/// do {
///     async let second: Void = file.write(1, from: rest)
///     try await file.write(0, from: beginning)
///     try await second
///     let info = try await file.publish([])
/// } catch {
///     await file.discard()
///     throw error
/// }
/// ```
///
/// Where pieces begin and end shows nowhere in the file. Memory and space on the disk beside that of the file are bounded as
/// long as pieces are begun in about the order of their numbers.
public protocol PiecewiseWrite: Sendable {
    /// Writes a piece; several tasks may write different ones at the same time.
    ///
    /// A piece whose source throws can be written again; what had arrived of it is gone.
    /// - Parameters:
    ///   - piece: Its number, from 0.
    ///   - bytes: Its content, in chunks of any size, or none.
    /// - Throws: The source's own error unchanged, `CancellationError`, or ``StorageError``, with code `rejected` when the
    ///   storage may accept the same file if it is written as one.
    func write<Bytes: AsyncSequence & Sendable>(
        _ piece: Int,
        from bytes: Bytes
    ) async throws where Bytes.Element == [UInt8]

    /// Ends the file, and makes it appear under its path in one step; all pieces have been written.
    ///
    /// - Parameter end: What follows the last piece, a few bytes.
    /// - Returns: What was written.
    /// - Throws: ``StorageError``, as ``Storage/write(_:ifExists:from:)`` and ``write(_:from:)`` do; `CancellationError`.
    func publish(_ end: [UInt8]) async throws -> FileInfo

    /// Leaves nothing behind of a file that was not published, if possible; also when the task is cancelled.
    ///
    /// No piece is being written any more. Nothing happens to a file that was published.
    func discard() async
}
