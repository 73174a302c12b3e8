import Postgres

extension DatabaseCatalog {
    /// What stands for a table in a path, so that no other table of the database has the same on a disk that ignores case.
    func component(of name: QualifiedName) -> PathComponent {
        PathComponent(name, hasTwin: hasTwin(name))
    }

    /// What stands for a schema in a path.
    func component(ofSchema schema: String) -> PathComponent {
        PathComponent(schema: schema, hasTwin: hasTwin(schema: schema))
    }

    /// What stands for a table or schema in the path of its definitions.
    func component(of unit: DefinitionScript.Unit) -> PathComponent {
        unit.table.map { component(of: QualifiedName(schema: unit.schema, name: $0)) }
            ?? component(ofSchema: unit.schema)
    }
}
