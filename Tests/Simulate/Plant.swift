/// A bug on purpose, to see that it is found.
enum Plant: String, CaseIterable {
    /// The first deletion that is told after a list is lost.
    case dropDeleted = "drop-deleted"
    /// The first object that is listed or added after a list is lost.
    case dropListed = "drop-listed"
}
