import AsyncHTTPClient

/// Everything that options, environment and profile say together.
struct S3Settings: Sendable {
    var region: String
    /// A server that is not Amazon's, when one is named.
    var customEndpoint: S3Endpoint?
    var style: S3Options.AddressingStyle
    var credentials: any CredentialProvider

    /// Puts the settings together; the nearest one wins, in the order of the AWS tools.
    /// - Throws: `StorageError` when the endpoint is no URL, or the profile does not exist.
    static func resolve(
        _ options: S3Options,
        environment: [String: String],
        httpClient: HTTPClient,
        timeout: Duration
    ) throws -> S3Settings {
        let files = ProfileFiles(options: options, environment: environment)
        let profile = try files.settings()
        let ignoresEndpoints = environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() == "true"
        let configured =
            ignoresEndpoints
            ? nil
            : environment["AWS_ENDPOINT_URL_S3"]?.nonEmpty ?? environment["AWS_ENDPOINT_URL"]?.nonEmpty
                ?? profile["endpoint_url"]?.nonEmpty
        let endpoint = try (options.endpointURL?.nonEmpty ?? configured)
            .map { try S3Endpoint(url: $0, style: options.addressingStyle) }

        // A profile that is named in the configuration is meant to win over the environment.
        var providers: [any CredentialProvider] = [StaticCredentials(options: options)]
        let fromProfile = ProfileCredentials(files: files, environment: environment)
        let fromEnvironment = EnvironmentCredentials(environment: environment)
        providers +=
            options.profile?.nonEmpty == nil ? [fromEnvironment, fromProfile] : [fromProfile, fromEnvironment]
        providers.append(ContainerCredentials(environment: environment, httpClient: httpClient, timeout: timeout * 2))
        providers.append(InstanceCredentials(environment: environment, httpClient: httpClient, timeout: timeout))
        return S3Settings(
            region: options.region?.nonEmpty ?? environment["AWS_REGION"]?.nonEmpty
                ?? environment["AWS_DEFAULT_REGION"]?.nonEmpty ?? profile["region"]?.nonEmpty ?? "us-east-1",
            customEndpoint: endpoint,
            style: options.addressingStyle,
            credentials: CredentialChain(providers: providers)
        )
    }

    /// The server for a region.
    func endpoint(region: String) -> S3Endpoint {
        customEndpoint ?? .amazon(region: region, style: style)
    }
}
