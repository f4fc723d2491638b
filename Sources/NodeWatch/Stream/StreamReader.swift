package import KubeClient
package import WatchEngine

/// Makes objects of a stream's events and puts them into a table. Belongs to the stream's thread.
package protocol StreamReader: Sendable {
    associatedtype Table: CacheTable

    /// Where its objects are: "/api/v1/nodes".
    var path: String { get }
    /// What they are called where permissions are granted: "nodes".
    var resourceName: String { get }

    /// The wire formats it reads.
    var wireFormat: WireFormat { get }

    /// Lends what the engine is to decode.
    func withProjection<Result>(_ body: (UnsafePointer<plm_projection>) -> Result) -> Result

    /// The images' ids begin anew.
    mutating func beginImages()
    mutating func define(_ image: plm_image)
    /// Images that nothing refers to any more, to be asked for between batches.
    mutating func takeRetiredImages() -> [UInt32]

    func name(of event: plm_event) -> plm_text
    /// Absent where the type has none.
    func namespace(of event: plm_event) -> plm_text
    func version(of event: plm_event) -> ResourceVersion?

    /// The version at which a table has the event's object; nil where it has no such, or another of its
    /// name.
    func knownVersion(of event: plm_event, in table: Table) -> ResourceVersion?

    /// Takes in an ADDED or MODIFIED. What is the same in `known` may be shared with it.
    func apply(
        _ event: plm_event, version: ResourceVersion, to table: inout Table, known: Table?,
        seen: UInt32
    ) -> CacheOutcome<Table.Object>
    func delete(
        _ event: plm_event, version: ResourceVersion, from table: inout Table
    ) -> CacheOutcome<Table.Object>
    /// Takes an object over from another table as it is there.
    func adopt(_ name: plm_text, in namespace: plm_text, _ known: Table, _ table: inout Table)
}
