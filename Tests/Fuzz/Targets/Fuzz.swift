import CFuzz

/// Gives random bytes to everything that reads bytes from outside: `Fuzz TARGET [options of libFuzzer] [folders]`.
///
/// A target ends the process when it finds a fault; libFuzzer then keeps the bytes that led to it.
@main
enum Fuzz {
    /// What a target does with its bytes.
    typealias Target = @Sendable ([UInt8]) -> Void

    static let targets: [String: Target] = [
        "csv-header": CSVTargets.header,
        "csv-records": CSVTargets.records,
        "csv-filter": CSVTargets.filter,
        "gzip": CompressionTargets.gzip,
        "zstd": CompressionTargets.zstd,
        "segments": CompressionTargets.segments,
        "sql": SQLTargets.lexer,
        "sql-quoting": SQLTargets.quoting,
        "definitions": SQLTargets.definitions,
        "definition-text": SQLTargets.definitionText,
        "json": ConfigurationTargets.json,
        "yaml": ConfigurationTargets.yaml,
        "toml": ConfigurationTargets.toml,
        "scalar": ConfigurationTargets.scalar,
        "configuration": ConfigurationTargets.configuration,
        "template": ConfigurationTargets.template,
        "sequences": FileTargets.sequences,
        "names": FileTargets.names,
        "record": FileTargets.record,
        "s3-replies": StorageTargets.s3Replies,
        "credentials": StorageTargets.credentials,
        "profiles": StorageTargets.profiles,
        "encoding": StorageTargets.encoding,
        "connection": ConnectionTargets.url,
    ]

    /// The chosen target: a callback of C cannot capture it.
    nonisolated(unsafe) private static var target: Target = { _ in }

    static func main() {
        guard CommandLine.arguments.count > 1, let chosen = targets[CommandLine.arguments[1]] else {
            print(targets.keys.sorted().joined(separator: "\n"))
            return
        }
        target = chosen
        let arguments = [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var count = CInt(arguments.count)
        pointers.withUnsafeMutableBufferPointer { buffer in
            var base = buffer.baseAddress
            _ = LLVMFuzzerRunDriver(&count, &base) { data, size in
                Fuzz.target(Array(UnsafeBufferPointer(start: data, count: size)))
                return 0
            }
        }
    }
}

/// Ends the process when something is not as it must be.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) {
    guard condition else { fail(message()) }
}

/// Ends the process.
func fail(_ message: String) -> Never {
    print("fault: \(message)")
    fflush(nil)
    preconditionFailure()
}
