import Storage

/// Compares the space of local disks with what a backup writes there: as much as the last one, or as the tables take.
struct SpaceCheck: Sendable {
    let run: CheckedRun

    /// The locations of a backup on one file system.
    private struct Disk {
        let volume: LocalVolume
        var folders: [StoragePath]

        func contains(_ path: StoragePath) -> Bool {
            folders.contains { CatalogLocation.contains($0, path) }
        }
    }

    /// Looks at each file system once.
    ///
    /// - Parameter plan: What would be written; nil when it is not known.
    /// - Returns: A finding for each.
    /// - Throws: `CancellationError`.
    func check(_ plan: RunPlan?) async throws -> [CheckFinding] {
        let disks = try await disks()
        guard !disks.isEmpty else { return [] }
        let last = try await lastSet()
        return disks.map { disk in
            finding(disk, last: last.map { bytes($0, on: disk) } ?? 0, tables: plan.map { bytes($0, on: disk) } ?? 0)
        }
    }

    private func finding(_ disk: Disk, last: Int64, tables: Int64) -> CheckFinding {
        let free = "\(HumanNumber.bytes(disk.volume.available)) free"
        let name = disk.folders.map(\.description).listed(atMost: 3)
        let available = disk.volume.available
        if last > 0 {
            let message = "\(free), and the last set has \(HumanNumber.bytes(last)) there"
            guard available < last else { return run.finding(.ok, .space, message, of: name) }
            return run.finding(.problem, .space, message, of: name, hint: Self.hint)
        }
        guard tables > 0 else { return run.finding(.ok, .space, free, of: name) }
        let message = "\(free), and the tables have \(HumanNumber.bytes(tables)) before compression"
        guard available < tables else { return run.finding(.ok, .space, message, of: name) }
        return run.finding(.warning, .space, message, of: name, hint: Self.hint)
    }

    private static let hint = "free some space, remove old sets with 'databudgie prune', or choose another disk"

    /// What cannot be looked at is a finding of its location.
    private func disks() async throws -> [Disk] {
        var disks: [Disk] = []
        for folder in (try? CheckedLocations(run).folders) ?? [] {
            guard case .local = folder, let volume = try? await LocalStorage().volume(of: folder) else { continue }
            if let index = disks.firstIndex(where: { $0.volume.device == volume.device }) {
                disks[index].folders.append(folder)
            } else {
                disks.append(Disk(volume: volume, folders: [folder]))
            }
        }
        try Task.checkCancellation()
        return disks
    }

    /// The newest complete set; nil when there is none, or when it cannot be read, which is a finding of the catalog.
    private func lastSet() async throws -> StoredSet? {
        guard run.settings.catalog != nil else { return nil }
        do {
            return try await SetLookup(run.configuration, for: .backup, environment: run.environment).find()
        } catch {
            try Task.checkCancellation()
            return nil
        }
    }

    private func bytes(_ set: StoredSet, on disk: Disk) -> Int64 {
        let paths = RecordedPaths(catalog: set.catalog)
        return set.record.files.reduce(0) { sum, file in
            guard let path = try? paths.path(of: file.path), disk.contains(path) else { return sum }
            return sum + file.bytes
        }
    }

    private func bytes(_ plan: RunPlan, on disk: Disk) -> Int64 {
        plan.tables.reduce(0) { sum, table in
            guard let bytes = table.bytes, let path = try? StoragePath(table.file), disk.contains(path) else {
                return sum
            }
            return sum + bytes
        }
    }
}
