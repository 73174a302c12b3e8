/// Credentials of a profile: written there, or printed by a command that is named there.
struct ProfileCredentials: CredentialProvider {
    let files: ProfileFiles
    let environment: [String: String]

    var place: String { "the profile \(quoting(files.profile)) (\(files.configPath), \(files.credentialsPath))" }

    /// Settings that name ways to credentials which are not supported, in the order in which they would win.
    private static let unsupported = ["role_arn", "web_identity_token_file", "sso_session", "sso_start_url"]

    func credentials() async throws -> Credentials? {
        let settings = try files.settings()
        if let setting = Self.unsupported.first(where: { settings[$0]?.nonEmpty != nil }) {
            throw StorageError(
                .noCredentials,
                "The AWS profile \(quoting(files.profile)) uses \(setting), which is not supported yet. "
                    + "Export temporary credentials first: eval \"$(aws configure export-credentials "
                    + "--profile \(files.profile) --format env)\"."
            )
        }
        let written = try Credentials.pair(
            settings["aws_access_key_id"],
            settings["aws_secret_access_key"],
            token: settings["aws_session_token"],
            names: ("aws_access_key_id", "aws_secret_access_key"),
            source: "the profile \(quoting(files.profile))"
        )
        if let written { return written }
        guard let command = settings["credential_process"]?.nonEmpty else { return nil }
        return try await ProcessCredentials(command: command, profile: files.profile, environment: environment)
            .credentials()
    }
}
