/// Credentials of a profile: of a role, of a sign-on, written in it, or printed by a command that it names.
///
/// Source: "Assume role credential provider" in the AWS SDKs and Tools reference guide.
struct ProfileCredentials: CredentialProvider {
    let context: CredentialContext

    private var files: ProfileFiles { context.files }

    var place: String { "the profile \(quoting(files.profile)) (\(files.configPath), \(files.credentialsPath))" }

    func credentials() async throws -> Credentials? {
        try await credentials(of: files.profile, files.settings(), for: [])
    }

    /// Finds the credentials of a profile.
    /// - Parameters:
    ///   - profile: The profile's name.
    ///   - settings: Its settings.
    ///   - dependents: The profiles that take their credentials from this one, each from the next.
    /// - Returns: The credentials, or nil when the profile has none.
    /// - Throws: `StorageError` when it is meant to have some, or `CancellationError`.
    private func credentials(
        of profile: String,
        _ settings: [String: String],
        for dependents: [String]
    ) async throws -> Credentials? {
        // In a profile that is another's source, keys come before a role: so a profile can name itself as its source.
        if dependents.last?.equalsBytes(of: profile) == true, let keys = try keys(of: profile, settings) { return keys }
        guard !dependents.contains(where: { $0.equalsBytes(of: profile) }) else { throw circle(dependents + [profile]) }
        if !dependents.isEmpty, let keys = try keys(of: profile, settings) { return keys }
        if let arn = settings["role_arn"]?.nonEmpty {
            return try await credentials(ofRole: arn, of: profile, settings, for: dependents)
        }
        guard settings["web_identity_token_file"]?.nonEmpty == nil else {
            throw unusable(profile, "has web_identity_token_file but no role_arn", hint: "add role_arn")
        }
        let signOn = SingleSignOnCredentials(profile: profile, settings: settings, context: context)
        if settings["sso_account_id"]?.nonEmpty != nil || settings["sso_role_name"]?.nonEmpty != nil {
            return try await signOn.credentials()
        }
        if let keys = try keys(of: profile, settings) { return keys }
        if let command = settings["credential_process"]?.nonEmpty {
            return try await ProcessCredentials(command: command, profile: profile, environment: context.environment)
                .credentials()
        }
        guard settings["sso_session"]?.nonEmpty == nil, settings["sso_start_url"]?.nonEmpty == nil else {
            return try await signOn.credentials()
        }
        return nil
    }

    private func keys(of profile: String, _ settings: [String: String]) throws -> Credentials? {
        try Credentials.pair(
            settings["aws_access_key_id"],
            settings["aws_secret_access_key"],
            token: settings["aws_session_token"],
            names: ("aws_access_key_id", "aws_secret_access_key"),
            source: "the profile \(quoting(profile))"
        )
    }

    private func credentials(
        ofRole arn: String,
        of profile: String,
        _ settings: [String: String],
        for dependents: [String]
    ) async throws -> Credentials {
        let role = try AssumedRole(arn: arn, profile: profile, settings: settings, now: context.policy.now())
        if let file = settings["web_identity_token_file"]?.nonEmpty {
            return try await WebIdentityCredentials.credentials(of: role, tokenFile: file, context)
        }
        guard settings["mfa_serial"]?.nonEmpty == nil else {
            throw unusable(
                profile,
                "has mfa_serial, but an MFA code cannot be entered here",
                hint: "export temporary credentials first: "
                    + "eval \"$(aws configure export-credentials --profile \(profile) --format env)\""
            )
        }
        let source: Credentials
        switch (settings["source_profile"]?.nonEmpty, settings["credential_source"]?.nonEmpty) {
        case (let name?, nil):
            source = try await credentials(ofSource: name, for: dependents + [profile])
        case (nil, let place?):
            source = try await credentials(at: place, for: profile)
        case (nil, nil):
            throw unusable(
                profile,
                "has a role_arn but does not say which credentials assume the role",
                hint: "add source_profile, credential_source or web_identity_token_file"
            )
        case (_?, _?):
            throw unusable(profile, "has both source_profile and credential_source", hint: "remove one of them")
        }
        return try await SecurityTokenService(context: context).assume(role, with: source)
    }

    private func credentials(ofSource name: String, for dependents: [String]) async throws -> Credentials {
        let dependent = dependents.last ?? files.profile
        guard let settings = try files.settings(of: name) else {
            throw unusable(
                dependent,
                "has the source_profile \(quoting(name)), which is neither in \(files.configPath) nor in "
                    + files.credentialsPath,
                hint: "correct its name or add it"
            )
        }
        guard let found = try await credentials(of: name, settings, for: dependents) else {
            throw unusable(
                dependent,
                "has the source_profile \(quoting(name)), which has no credentials",
                hint: "add some"
            )
        }
        return found
    }

    private func credentials(at place: String, for profile: String) async throws -> Credentials {
        let provider: any CredentialProvider
        switch place.lowercased() {
        case "environment":
            provider = EnvironmentCredentials(environment: context.environment)
        case "ec2instancemetadata":
            provider = InstanceCredentials(context: context, profile: try files.settings())
        case "ecscontainer":
            provider = ContainerCredentials(context: context)
        default:
            throw unusable(
                profile,
                "has the unknown credential_source \(quoting(place))",
                hint: "choose Environment, Ec2InstanceMetadata or EcsContainer"
            )
        }
        guard let found = try await provider.credentials() else {
            throw unusable(
                profile,
                "has the credential_source \(place), but \(provider.place) has no credentials",
                hint: "set them there"
            )
        }
        return found
    }

    private func circle(_ profiles: [String]) -> StorageError {
        StorageError(
            .invalidConfiguration,
            "the AWS profiles refer to one another in a circle: "
                + profiles.map { quoting($0) }.joined(separator: " → "),
            hint: "let source_profile of the last one name a profile with credentials of its own"
        )
    }

    private func unusable(_ profile: String, _ problem: String, hint: String) -> StorageError {
        StorageError(.invalidConfiguration, "the AWS profile \(quoting(profile)) \(problem)", hint: hint)
    }
}
