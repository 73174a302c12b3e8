/// Everything that options, environment and profile say together.
struct S3Settings: Sendable {
    var region: String
    /// A server that is not Amazon's, when one is named.
    var customEndpoint: S3Endpoint?
    var style: S3Options.AddressingStyle
    var credentials: any CredentialProvider

    /// Puts the settings together; the nearest one wins, in the order of the AWS tools.
    /// - Throws: `StorageError` when the endpoint is not a URL, or the profile does not exist.
    static func resolve(
        _ options: S3Options,
        environment: [String: String],
        files: ProfileFiles,
        network: Network,
        policy: RetryPolicy
    ) throws -> S3Settings {
        let profile = try files.settings()
        let endpoints = try ConfiguredEndpoints(environment: environment, profile: profile, files: files)
        let endpoint = try (options.endpointURL?.nonEmpty ?? endpoints.url(of: "s3"))
            .map { try S3Endpoint(url: $0, style: options.addressingStyle) }
        let region =
            options.region?.nonEmpty ?? environment["AWS_REGION"]?.nonEmpty
            ?? environment["AWS_DEFAULT_REGION"]?.nonEmpty ?? profile["region"]?.nonEmpty ?? "us-east-1"
        let context = CredentialContext(
            environment: environment,
            files: files,
            region: region,
            endpoints: endpoints,
            network: network,
            policy: policy
        )
        let fromEnvironment: [any CredentialProvider] = [
            EnvironmentCredentials(environment: environment), WebIdentityCredentials(context: context),
        ]
        let fromProfile: [any CredentialProvider] = [ProfileCredentials(context: context)]
        // A profile that is named in the configuration is meant to win over the environment.
        let middle =
            options.profile?.nonEmpty == nil ? fromEnvironment + fromProfile : fromProfile + fromEnvironment
        return S3Settings(
            region: region,
            customEndpoint: endpoint,
            style: options.addressingStyle,
            credentials: CredentialChain(
                providers: [StaticCredentials(options: options)] + middle + [
                    ContainerCredentials(context: context), InstanceCredentials(context: context, profile: profile),
                ]
            )
        )
    }

    /// The server for a region.
    func endpoint(region: String) -> S3Endpoint {
        customEndpoint ?? .amazon(region: region, style: style)
    }
}
