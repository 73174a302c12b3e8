import Postgres

/// A table that no entry names, and that is included because one that follows its foreign keys refers to it.
struct DependencyTable: Sendable {
    let relation: Relation
    /// Its name where the files are.
    let storedName: QualifiedName
    /// The index of the owner that it is included by.
    let owner: Int
    /// The key by which it was found: that of the owner, or of a table between the two.
    let key: ForeignKey
    /// The options of that table's entry, with the location of this one's files.
    let options: TableOptions
    /// The locations that it would have if another owner came first, or if the owner's name were written in another form.
    let otherOptions: [TableOptions]
}
