/// Settings of the `sentry` key: where failures are reported.
public struct SentryConfiguration: Sendable, Equatable {
    /// The address that failures are sent to; its user part is a secret.
    public var dsn: SentryDSN
    /// The release that is reported; nil reports databudgie's own.
    public var version: String?
    /// The environment that is reported.
    public var environment: String?

    /// Gathers settings.
    ///
    /// - Parameters:
    ///   - dsn: The address that failures are sent to.
    ///   - version: The release that is reported; nil reports databudgie's own.
    ///   - environment: The environment that is reported.
    public init(dsn: SentryDSN, version: String? = nil, environment: String? = nil) {
        self.dsn = dsn
        self.version = version
        self.environment = environment
    }
}
