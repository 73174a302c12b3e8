/// Credentials in environment variables.
struct EnvironmentCredentials: CredentialProvider {
    let environment: [String: String]

    var place: String { "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)" }

    func credentials() throws -> Credentials? {
        try Credentials.pair(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            token: environment["AWS_SESSION_TOKEN"],
            names: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            source: "the environment"
        )
    }
}
