/// The addresses of services that environment and profile name in the place of Amazon's.
///
/// Source: "Service-specific endpoints" in the AWS SDKs and Tools reference guide.
struct ConfiguredEndpoints: Sendable {
    private let environment: [String: String]
    private let profile: [String: String]
    private let services: [String: String]

    /// Gathers what there is.
    /// - Throws: `StorageError` when the profile's section of services does not exist.
    init(environment: [String: String], profile: [String: String], files: ProfileFiles) throws {
        self.environment = environment
        self.profile = profile
        guard let name = profile["services"]?.nonEmpty else {
            services = [:]
            return
        }
        guard let section = try files.section("services", name) else {
            throw StorageError(
                .invalidConfiguration,
                "the AWS profile \(quoting(files.profile)) refers to the services \(quoting(name)), which are not in "
                    + files.configPath,
                hint: "add the section [services \(name)] or correct the name"
            )
        }
        services = section
    }

    /// The URL that is to be used for a service, if one is named; the nearest wins.
    /// - Parameter service: The service's identifier as sections of services have it: `s3`, `sts`, `sso`, `sso_oidc`.
    /// - Returns: The URL as it was written, or nil.
    func url(of service: String) -> String? {
        let ignored =
            environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.nonEmpty ?? profile["ignore_configured_endpoint_urls"]
        guard ignored?.lowercased() != "true" else { return nil }
        return environment["AWS_ENDPOINT_URL_\(service.uppercased())"]?.nonEmpty
            ?? environment["AWS_ENDPOINT_URL"]?.nonEmpty ?? services["\(service).endpoint_url"]?.nonEmpty
            ?? profile["endpoint_url"]?.nonEmpty
    }
}
