/// Another run has taken a path of this one, or its id: this run gives way to it.
struct PathIsTaken: Error {
    let message: String
}
