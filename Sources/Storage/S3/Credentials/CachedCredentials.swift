import FoundationEssentials

/// Keeps credentials until five minutes before they end, and asks for new ones once, however many requests wait.
actor CachedCredentials {
    /// How long before their end credentials are renewed, in seconds.
    static let renewalMargin: TimeInterval = 300
    /// How long to wait after a renewal that brought nothing better, in seconds.
    static let renewalPause: TimeInterval = 10

    private let provider: any CredentialProvider
    private let now: @Sendable () -> Date
    private var current: Credentials?
    /// When to look for newer ones; nil when these do not end.
    private var renewalDate: Date?
    private var renewal: Task<Credentials?, any Error>?
    /// How many requests wait for a renewal.
    private var waiting = 0

    init(provider: any CredentialProvider, now: @escaping @Sendable () -> Date) {
        self.provider = provider
        self.now = now
    }

    /// Gives credentials that are valid for a while.
    func credentials() async throws -> Credentials {
        if let current, renewalDate.map({ $0 > now() }) ?? true { return current }
        do {
            return try await renewed()
        } catch {
            // Old ones that still work are better than none: a later request tries again.
            guard let current, let expiration = current.expiration, expiration > now() else { throw error }
            renewalDate = nextRenewal(of: current)
            return current
        }
    }

    /// Forgets credentials that the server refused; newer ones stay.
    func discard(_ refused: Credentials) {
        if current == refused { current = nil }
    }

    private func renewed() async throws -> Credentials {
        // A task of its own: a waiting request that is cancelled must not take the renewal away from the others.
        let task = renewal ?? Task { [provider] in try await provider.credentials() }
        renewal = task
        waiting += 1
        defer {
            waiting -= 1
            // What nobody waits for any more is given up: a command may never end.
            if waiting == 0 { task.cancel() }
            if waiting == 0, renewal == task { renewal = nil }
        }
        let found = try await abandoning { try await task.value }
        if renewal == task { renewal = nil }
        guard let fresh = found ?? nil else {
            throw StorageError(
                .noCredentials,
                "no S3 credentials were found in \(provider.place)",
                hint: "set them there"
            )
        }
        current = fresh
        renewalDate = nextRenewal(of: fresh)
        return fresh
    }

    /// Near their end credentials are renewed again and again, but not by every request.
    private func nextRenewal(of credentials: Credentials) -> Date? {
        guard let end = credentials.expiration else { return nil }
        return min(max(end.addingTimeInterval(-Self.renewalMargin), now().addingTimeInterval(Self.renewalPause)), end)
    }
}
