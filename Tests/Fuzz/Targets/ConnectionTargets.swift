import Foundation

@testable import Databudgie
@testable import Postgres

/// Connection URLs.
enum ConnectionTargets {
    private static let secret = "S3cr3tPassw0rd"

    /// Nothing shows the password, whether the URL is good or not.
    static func url(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        _ = try? ConnectionParameters(url: parts[0])
        let delimiters = Set("/?#@:".utf8)
        let user = String(decoding: parts[0].utf8.filter { !delimiters.contains($0) }, as: UTF8.self)
        let rest = parts.count > 1 ? parts[1] : ""
        for url in ["postgresql://\(user):\(secret)@\(rest)", "host=h user=u password=\(secret) \(rest)"] {
            do throws(PostgresError) {
                let parameters = try ConnectionParameters(url: url)
                guard parameters.keywords["password"] == secret,
                    !parameters.keywords.contains(where: { $0.key != "password" && $0.value.contains(secret) })
                else { continue }
                expect(!"\(parameters)".contains(secret), "a password is shown: \(parameters)")
            } catch {
                expect(
                    !error.message.contains(secret) && error.hint?.contains(secret) != true,
                    "a password is repeated"
                )
            }
        }
    }
}
