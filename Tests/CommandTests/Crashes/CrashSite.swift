#if DATABUDGIE_FAIL_POINTS
    import DatabudgieTestSupport
    import Foundation
    import Postgres
    import Storage
    import Testing

    @testable import Databudgie

    /// Two databases and a storage, with a program that is killed.
    struct CrashSite: Sendable {
        /// How a program is ended at a fail point.
        typealias Ending = FailPointOrder.Ending

        let source: ConnectionParameters
        let target: ConnectionParameters
        let storage: any Storage
        let root: StoragePath
        /// The folder in which the program runs.
        let folder: String
        /// For S3.
        let variables: [String: String]

        /// Makes two empty databases and an empty storage for the length of a closure.
        ///
        /// - Parameters:
        ///   - kind: Where the storage is.
        ///   - server: Where the databases are; nil for the shared server.
        ///   - body: What to do with them.
        /// - Throws: What the closure throws.
        static func with(
            _ kind: StorageUnderTest,
            on server: PostgresServer? = nil,
            _ body: (CrashSite) async throws -> Void
        ) async throws {
            let variables = kind == .s3 ? try await S3Server.shared.environment : [:]
            let shared = try await PostgresServer.shared
            try await (server ?? shared).withDatabase { source in
                try await (server ?? shared).withDatabase { target in
                    try await kind.withStorage { storage, root in
                        try await withTemporaryFolder { folder in
                            try await body(
                                CrashSite(
                                    source: source,
                                    target: target,
                                    storage: storage,
                                    root: root,
                                    folder: folder,
                                    variables: variables
                                )
                            )
                        }
                    }
                }
            }
        }

        // MARK: - Runs

        /// Writes the program's configuration, and returns it.
        func configure(_ yaml: String) throws -> Configuration {
            let text = """
                root_location: '\(root)'
                location: '{table}'
                backup: {url: "\(Self.url(source))"}
                restore: {url: "\(Self.url(target))"}
                \(yaml)

                """
            try Data(text.utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
            return try Configuration.load(yaml: text, environment: [:])
        }

        /// libpq's keywords, because the socket's path is no part of a URL.
        private static func url(_ parameters: ConnectionParameters) -> String {
            parameters.keywords.sorted { $0.key < $1.key }.map { "\($0)='\($1)'" }.joined(separator: " ")
        }

        /// Surroundings of a run in this process.
        func environment(_ now: Date = Date()) -> RunEnvironment {
            RunEnvironment(variables: ProcessInfo.processInfo.environment.merging(variables) { $1 }, now: now)
        }

        /// Runs the program to its end.
        func run(_ arguments: String...) async throws -> Program.Outcome { try await run(arguments) }

        /// Runs the program, which ends itself at a fail point.
        func run(
            _ arguments: String...,
            until point: FailPoint,
            _ ending: Ending,
            count: Int = 1,
            rangeSize: Int? = nil
        ) async throws -> Program.Outcome {
            try await run(arguments, order: "\(point):\(ending.rawValue):\(count)", rangeSize: rangeSize)
        }

        private func run(
            _ arguments: [String],
            order: String? = nil,
            rangeSize: Int? = nil
        ) async throws -> Program.Outcome {
            var program = Program(folder: folder, environment: variables)
            program.environment["DATABUDGIE_FAIL_POINT"] = order
            program.environment["DATABUDGIE_FAIL_POINT_RANGE_SIZE"] = rangeSize.map { "\($0)" }
            return try await program.run(arguments)
        }

        /// The program ended as it was told to.
        ///
        /// - Parameters:
        ///   - ending: How it was told to.
        ///   - outcome: How it ended.
        ///   - isDone: All of its work was done, so that a signal that can be handled came too late.
        func expect(_ ending: Ending, _ outcome: Program.Outcome, isDone: Bool = false) {
            switch ending {
            case .kill: #expect(outcome.status == 128 + SIGKILL, "\(outcome.error)")
            case .intTwice: #expect(outcome.status == 128 + SIGINT, "\(outcome.error)")
            case .term: #expect(outcome.status == 128 + SIGTERM || isDone && outcome.status == 0, "\(outcome.error)")
            }
        }

        // MARK: - Databases

        func execute(_ parameters: ConnectionParameters, _ sql: String) async throws {
            try await Connection.withConnection(to: parameters) { try await $0.execute(sql) }
        }

        /// The first column of a query.
        func values(_ parameters: ConnectionParameters, _ sql: String) async throws -> [String] {
            try await Connection.withConnection(to: parameters) { try await $0.query(sql).rows.map { $0[0] ?? "NULL" } }
        }

        /// The rows of each table in `public`, and the values of all sequences there.
        func contents(_ parameters: ConnectionParameters) async throws -> [String: String] {
            try await Connection.withConnection(to: parameters) { connection in
                let relations = try await connection.query(
                    """
                    select relname, relkind from pg_class
                    where relnamespace = 'public'::regnamespace and relkind in ('r', 'S') and relname !~ 'manifest'
                    """
                )
                var contents: [String: String] = [:]
                for row in relations.rows {
                    let name = row[0] ?? ""
                    let content =
                        row[1] == "S"
                        ? "last_value || ' ' || is_called from \(name)"
                        : "string_agg(t::text, ' ' order by t::text) from \(name) t"
                    contents[name] = try await connection.query("select \(content)").rows.first?[0] ?? ""
                }
                return contents
            }
        }

        // MARK: - Sets

        /// Each set that is listed as complete has all of its files, with the rows that it says.
        func expectWholeSets(_ configuration: Configuration) async throws {
            let results = try await Verification(configuration, level: .rows, environment: environment()).runAll()
            for set in results {
                switch set.outcome {
                case .ok, .superseded: continue
                default: Issue.record("\(set.id): \(set.outcome)")
                }
            }
        }

        /// Nothing is in the storage but records of sets, what they name and the results of their verification.
        func expectNothingElse(_ configuration: Configuration) async throws {
            let catalog = try catalog(configuration)
            var named: Set<StoragePath> = []
            for entry in try await catalog.entries() {
                #expect(entry.running == nil, "\(entry.id) is marked as running")
                guard entry.record != nil else { continue }
                named.formUnion(try await catalog.record(entry.id).filePaths.map(catalog.paths.path))
                named.formUnion([catalog.recordPath(of: entry.id), catalog.verificationPath(of: entry.id)])
            }
            let files = Set(try await storage.list(root, recursive: true).map(\.path))
            #expect(files.subtracting(named).isEmpty, "\(files.subtracting(named))")
            let writes = try await storage.unfinishedWrites(root, before: .distantFuture)
            #expect(writes.isEmpty, "\(writes)")
        }

        /// Removes what crashed runs have left, as if all of it were older than a day.
        func removeOrphans(_ configuration: Configuration) async throws {
            let prune = Prune(configuration, environment: environment(Date(timeIntervalSinceNow: 2 * Prune.age)))
            try await prune.remove(try await prune.plan(includingOrphans: true))
        }

        func catalog(_ configuration: Configuration) throws -> SetCatalog {
            SetCatalog(
                folder: try #require(configuration.catalog(for: .backup)),
                storages: StorageRouter(local: storage, s3: storage)
            )
        }
    }

    /// A point, and the time that it is reached.
    struct CrashMoment: Sendable, CustomTestStringConvertible {
        let point: FailPoint
        var count = 1

        var testDescription: String { count == 1 ? "\(point)" : "\(point), \(count)" }
    }
#endif
