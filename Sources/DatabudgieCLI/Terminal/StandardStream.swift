import Foundation
import Synchronization
import SystemPackage

/// One of the program's outputs: a terminal, or a file or pipe in its place.
struct StandardStream: Sendable {
    /// The size of a terminal in characters.
    struct Size: Equatable, Sendable {
        let columns: Int
        let lines: Int
    }

    /// Results: the configuration, statistics, help.
    static let standardOutput = StandardStream(.standardOutput)
    /// Progress and messages.
    static let standardError = StandardStream(.standardError)

    /// Until when readers are waited for; nil for ever.
    private static let deadline = Mutex<ContinuousClock.Instant?>(nil)
    /// A pipe that can be written to takes as many bytes without waiting (PIPE_BUF, pipe(7)).
    private static let pieceSize = 4_096

    private let descriptor: FileDescriptor

    private init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Stops waiting for readers that do not read: the program is to end, and must not hang in its last words.
    ///
    /// - Parameter duration: How long they are still waited for.
    static func stopWaiting(after duration: Duration) {
        deadline.withLock { $0 = $0 ?? .now + duration }
    }

    /// A person may be reading.
    var isTerminal: Bool {
        isatty(descriptor.rawValue) == 1
    }

    /// The size now; nil for a file or pipe, or a terminal that does not know its own.
    var size: Size? {
        var size = winsize()
        guard ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return Size(columns: Int(size.ws_col), lines: Int(size.ws_row))
    }

    /// Writes the whole text; when the reader has gone away, it wanted no more, and that is not an error.
    ///
    /// A descriptor that another program has made non-blocking is waited for: half a line would be worse than a wait.
    ///
    /// - Throws: ``CommandError``, for instance when the disk is full.
    func write(_ text: String) throws(CommandError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard waitUntilWritable() else { return }
            do {
                let count = try rest.prefix(Self.pieceSize).withUnsafeBytes { try descriptor.write($0) }
                rest = rest.dropFirst(count)
            } catch Errno.brokenPipe {
                return
            } catch Errno.wouldBlock {
                continue
            } catch {
                throw CommandError(.output, "\(name) cannot be written: \(error)")
            }
        }
    }

    /// Waits for a reader.
    ///
    /// - Returns: False when there will be none in time.
    private func waitUntilWritable() -> Bool {
        while true {
            var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
            // The deadline may be set meanwhile.
            if poll(&entry, 1, 200) > 0 { return true }
            if let deadline = Self.deadline.withLock({ $0 }), .now > deadline { return false }
        }
    }

    private var name: String {
        descriptor == .standardOutput ? "standard output" : "standard error"
    }
}
