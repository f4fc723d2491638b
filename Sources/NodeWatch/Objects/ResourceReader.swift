import KubeClient
import WatchEngine

/// Makes objects of the engine's bytes with the user's decoder.
struct ResourceReader<Value: Sendable>: StreamReader {
    typealias Table = ResourceTable<Value>

    let path: String
    let resourceName: String
    let wireFormat = WireFormat.json
    private let decode: @Sendable ([UInt8]) throws -> Value

    init(path: String, resourceName: String, decode: @escaping @Sendable ([UInt8]) throws -> Value)
    {
        self.path = path
        self.resourceName = resourceName
        self.decode = decode
    }

    func withProjection<Result>(_ body: (UnsafePointer<plm_projection>) -> Result) -> Result {
        var projection = plm_projection()
        projection.whole_objects = true
        return body(&projection)
    }

    func beginImages() {}
    func define(_ image: plm_image) {}
    func takeRetiredImages() -> [UInt32] { [] }

    func name(of event: plm_event) -> plm_text { event.object.name }
    func namespace(of event: plm_event) -> plm_text { event.object.namespace_name }

    func version(of event: plm_event) -> ResourceVersion? {
        ResourceVersion(event.object.resource_version.raw)
    }

    func knownVersion(of event: plm_event, in table: Table) -> ResourceVersion? {
        guard let known = table[key(event.object)], known.uid == event.object.uid.string else {
            return nil
        }
        return ResourceVersion(known.resourceVersion)
    }

    func apply(
        _ event: plm_event, version: ResourceVersion, to table: inout Table, known: Table?,
        seen: UInt32
    ) -> CacheOutcome<Resource<Value>> {
        if let same = same(as: event.object, in: known) { return table.apply(same) }
        do {
            return table.apply(try resource(event.object))
        } catch {
            return .unusable(reason: "it cannot be decoded: \(error)")
        }
    }

    /// The known state of the same version, which need not be decoded again.
    private func same(as object: plm_object, in known: Table?) -> Resource<Value>? {
        guard let known, let resource = known[key(object)],
            resource.resourceVersion == object.resource_version.string,
            resource.uid == object.uid.string
        else { return nil }
        return resource
    }

    func delete(
        _ event: plm_event, version: ResourceVersion, from table: inout Table
    ) -> CacheOutcome<Resource<Value>> {
        // That it is gone is known even where its last state cannot be read.
        table.delete(key: key(event.object), last: try? resource(event.object))
    }

    func adopt(_ name: plm_text, in namespace: plm_text, _ known: Table, _ table: inout Table) {
        let key = Resource<Value>.key(
            namespace: namespace.string ?? "", name: name.string ?? "")
        if let object = known[key] { _ = table.apply(object) }
    }

    private func key(_ object: plm_object) -> String {
        Resource<Value>.key(
            namespace: object.namespace_name.string ?? "", name: object.name.string ?? "")
    }

    private func resource(_ object: plm_object) throws -> Resource<Value> {
        Resource(
            name: object.name.string ?? "", namespace: object.namespace_name.string ?? "",
            uid: object.uid.string ?? "", resourceVersion: object.resource_version.string ?? "",
            value: try decode(Array(object.json.raw)))
    }
}
