extension BackupJob {
    /// What the job needs besides the settings of the snapshot.
    ///
    /// Equal rows of a plain table have equal text: moments are in UTC, and names of tables, functions, types and the like
    /// have their schemas.
    var sessionSettings: [String: String] {
        var settings: [String: String] = [:]
        if appliesRowSecurity { settings["row_security"] = "on" }
        if hasPlainText { settings.merge(["TimeZone": "UTC", "search_path": ""]) { $1 } }
        // The expressions of masks are long, and compiling them would take longer than reading a small table.
        if query.masks != nil { settings["jit"] = "off" }
        return settings
    }
}
