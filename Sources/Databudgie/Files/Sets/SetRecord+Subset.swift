extension SetRecord {
    /// Which rows a set has, when it has not all of them.
    public struct Subset: Sendable, Codable, Equatable {
        /// The full names of the tables with which it begins.
        public var start: [String]
        /// A hash of all settings that decide about rows, `sha256:…`: a condition may hold personal data.
        public var rules: String
        /// The table of the tenants; nil without tenants.
        public var tenants: String?
        /// How many rows are chosen.
        public var chosen: Int
        /// How many rows are there because others refer to them, without those of tables that are exported whole.
        public var linked: Int
        /// The references between its tables.
        public var references: [SubsetReference]
    }

    /// What has become of a reference of a subset.
    public struct SubsetReference: Sendable, Codable, Equatable {
        /// The reference: `public.orders.customer_id`.
        public var name: String
        /// How it was followed: `both`, `parents`, `through`, `cut` or `ignore`.
        public var followed: String
        /// How many rows were added because others refer to them by it.
        public var broughtParents: Int
        /// How many rows were added because they refer to chosen ones by it.
        public var broughtChildren: Int
        /// In how many rows it is NULL, because the row that is referred to is not part of the set.
        public var cut: Int
        /// In how many rows it leads to no row of the database.
        public var orphans: Int

        enum CodingKeys: String, CodingKey {
            case name, followed, cut, orphans
            case broughtParents = "up"
            case broughtChildren = "down"
        }
    }

    /// The rows of a table of a subset.
    public struct SubsetCount: Sendable, Codable, Equatable {
        /// How many are chosen.
        public var chosen: Int
        /// How many are there because others refer to them, or because the table is exported whole.
        public var linked: Int
    }
}
