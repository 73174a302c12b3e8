import Databudgie
import Foundation
import SystemPackage

/// Configuration that is sent to the program's standard input.
struct StandardInput {
    /// What the command line says about standard input.
    enum Request {
        /// Another source is named: it is not read, and belongs to somebody else.
        case unwanted
        /// It is read when it is a pipe or a file with content.
        case possible
        /// `-c -`: it is read, whatever it is, and must have content.
        case required
    }

    /// A larger text is not a configuration, but the output of another program.
    static let limit = 4 << 20

    /// Tells the user that the program waits for a pipe that says nothing.
    let warn: (Message) -> Void

    /// Everything that standard input has.
    ///
    /// Unless it is asked for, a terminal, a socket, `/dev/null` and a closed descriptor, as cron and CI services give
    /// them, are not configuration and are not read: that could wait for ever. A pipe is read to its end.
    ///
    /// - Parameter request: Whether it is to be read.
    /// - Returns: The text; nil when there is none.
    /// - Throws: ``CommandError`` when the input cannot be read, is too large or is not UTF-8.
    func configuration(_ request: Request) throws(CommandError) -> String? {
        switch request {
        case .unwanted: return nil
        case .possible: if !mayHaveContent { return nil }
        case .required: break
        }
        let bytes: [UInt8]
        do {
            bytes = try readToEnd()
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError(.usage, "standard input cannot be read: \(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandError(
                .usage,
                "standard input is not text in UTF-8",
                hint: "send configuration, or close it with </dev/null"
            )
        }
        guard text.allSatisfy(\.isWhitespace) else { return text }
        guard case .required = request else { return nil }
        throw CommandError(.usage, "standard input is empty", hint: "send configuration, or drop '-c -'")
    }

    private var mayHaveContent: Bool {
        var status = stat()
        guard fstat(FileDescriptor.standardInput.rawValue, &status) == 0 else { return false }
        switch status.st_mode & S_IFMT {
        case S_IFIFO: return true
        case S_IFREG: return status.st_size > 0
        default: return false
        }
    }

    private func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        waitForContent()
        while true {
            let chunk = try [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = try FileDescriptor.standardInput.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if chunk.isEmpty { return bytes }
            bytes += chunk
            guard bytes.count <= Self.limit else {
                throw CommandError(
                    .usage,
                    "standard input has more than 4 MB, which is not a configuration",
                    hint: "name a file with --config, or close it with </dev/null"
                )
            }
        }
    }

    /// Says after two seconds what an open pipe without content is waited for.
    private func waitForContent() {
        var entry = pollfd(fd: FileDescriptor.standardInput.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 2_000) == 0 else { return }
        warn(
            Message(
                "waiting for configuration on standard input",
                hint: "send it, name a file with --config, or close it with </dev/null"
            )
        )
    }
}
