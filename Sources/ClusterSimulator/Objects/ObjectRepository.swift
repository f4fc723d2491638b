import ObjectEncoding

/// Where the objects of one resource are kept. Every operation is whole or not at all: what
/// `change` is given is the object as it is, and stays so until the change is made.
protocol ObjectRepository: Sendable {
    typealias Outcome = Result<JSONValue, StatusBody>

    func object(_ key: ObjectKey) -> JSONValue?

    /// Adds an object; the repository gives it its uid, resourceVersion and time. Nil where there is
    /// one of that key.
    func create(_ key: ObjectKey, _ object: JSONValue, dryRun: Bool) -> JSONValue?

    /// Changes an object; the repository gives it its resourceVersion. Nil where there is none. A
    /// change to an equal object makes no new version.
    func update(_ key: ObjectKey, dryRun: Bool, _ change: (JSONValue) -> Outcome) -> Outcome?

    /// Deletes an object unless `objection` has one. Nil where there is none.
    func delete(
        _ key: ObjectKey, dryRun: Bool, _ objection: (JSONValue) -> StatusBody?
    ) -> Outcome?
}
