import Databudgie
import Foundation
import SystemPackage

/// Configuration that is sent to the program's standard input.
enum StandardInput {
    /// Everything that standard input has, when it is a pipe or a file with content.
    ///
    /// A terminal, a socket, `/dev/null` and a closed descriptor, as cron and CI services give them, are not
    /// configuration and are not read: that could wait for ever. A pipe is read to its end.
    ///
    /// - Returns: The text; nil when there is none.
    /// - Throws: ``CommandError`` when the input cannot be read or is not UTF-8.
    static func configuration() throws(CommandError) -> String? {
        guard mayHaveContent else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try readToEnd()
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
        return text.allSatisfy(\.isWhitespace) ? nil : text
    }

    private static var mayHaveContent: Bool {
        var status = stat()
        guard fstat(FileDescriptor.standardInput.rawValue, &status) == 0 else { return false }
        switch status.st_mode & S_IFMT {
        case S_IFIFO: return true
        case S_IFREG: return status.st_size > 0
        default: return false
        }
    }

    private static func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = try FileDescriptor.standardInput.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if chunk.isEmpty { return bytes }
            bytes += chunk
        }
    }
}
