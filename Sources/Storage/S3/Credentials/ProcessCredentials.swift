import FoundationEssentials
import Subprocess
import SystemPackage

/// Credentials that a command prints (`credential_process` of a profile).
struct ProcessCredentials: CredentialProvider {
    let command: String
    let profile: String
    let environment: [String: String]
    /// How long the command may take.
    var limit = Duration.seconds(60)

    var place: String { "the credential_process of the profile \(quoting(profile))" }

    func credentials() async throws -> Credentials? {
        let words = try Self.words(command)
        guard let program = words.first else { throw failure("is empty") }
        let executable: Executable = program.utf8.contains(slash) ? .path(.init(program)) : .name(program)
        let variables = Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })
        let output: String
        do {
            let finished = try await abandoning(after: limit) {
                try await run(
                    executable,
                    arguments: Arguments(Array(words.dropFirst())),
                    environment: .custom(variables),
                    output: .string(limit: 64 * 1024),
                    error: .discarded
                )
            }
            guard let result = finished else { throw failure("did not end within \(limit.components.seconds) seconds") }
            guard result.terminationStatus.isSuccess else { throw failure("ended with \(result.terminationStatus)") }
            output = result.standardOutput
        } catch let error as SubprocessError {
            throw failure("could not be run", underlying: error)
        }
        guard let reply = try? JSONDecoder().decode(TemporaryCredentials.self, from: Data(output.utf8)),
            reply.version == nil || reply.version == 1
        else { throw failure("did not print the JSON of version 1 that the AWS tools document") }
        return try reply.credentials(from: place)
    }

    private func failure(_ problem: String, underlying: (any Error)? = nil) -> StorageError {
        StorageError(
            .noCredentials,
            "the credential_process of the AWS profile \(quoting(profile)) \(problem)",
            hint: "run the command by hand to see why",
            underlying: underlying
        )
    }

    /// Splits a command line as the AWS tools do: by spaces, with quotes and backslashes, without a shell.
    static func words(_ line: String) throws -> [String] {
        let (backslash, single, double) = (UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""))
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var quote: UInt8?
        var bytes = line.utf8.makeIterator()
        while let byte = bytes.next() {
            switch (byte, quote) {
            case (backslash, nil), (backslash, double):
                word = (word ?? []) + [bytes.next() ?? backslash]
            case (single, nil), (double, nil):
                (quote, word) = (byte, word ?? [])
            case (let closing, let opening?) where closing == opening:
                quote = nil
            case (UInt8(ascii: " "), nil), (UInt8(ascii: "\t"), nil):
                if let finished = word { words.append(finished) }
                word = nil
            default:
                word = (word ?? []) + [byte]
            }
        }
        guard quote == nil else {
            throw StorageError(
                .noCredentials,
                "a credential_process in the AWS configuration lacks a closing quote",
                hint: "add it"
            )
        }
        return (words + (word.map { [$0] } ?? [])).map { String(decoding: $0, as: UTF8.self) }
    }
}
