import NIOCore
import ObjectEncoding

/// Reading everything but nodes.
final class ObjectEndpoint: Sendable {
    /// The objects of one resource.
    private struct Repository: ObjectRepository {
        let store: ObjectStore
        let storage: String

        func object(_ key: ObjectKey) -> JSONValue? { store.object(storage, key) }

        func create(_ key: ObjectKey, _ object: JSONValue, dryRun: Bool) -> JSONValue? {
            store.create(storage, key, object, dryRun: dryRun)
        }

        func update(_ key: ObjectKey, dryRun: Bool, _ change: (JSONValue) -> Outcome) -> Outcome? {
            store.update(storage, key, dryRun: dryRun, change)
        }

        func delete(
            _ key: ObjectKey, dryRun: Bool, _ objection: (JSONValue) -> StatusBody?
        ) -> Outcome? {
            store.delete(storage, key, dryRun: dryRun, objection)
        }
    }

    private let store: ObjectStore
    private let cluster: Cluster
    private let options: SimulatorServer.Options

    init(_ store: ObjectStore, _ cluster: Cluster, _ options: SimulatorServer.Options) {
        self.store = store
        self.cluster = cluster
        self.options = options
    }

    func repository(of kind: ResourceKind) -> any ObjectRepository {
        Repository(store: store, storage: kind.storage)
    }

    func respond(
        to request: APIRequest, _ path: ResourcePath, on eventLoop: any EventLoop
    ) -> APIResponse {
        let format = ObjectFormat(path.kind, accept: request.accept)
        if let name = path.name { return get(name, path, format) }
        do throws(InvalidSelector) {
            let selector = try ObjectSelector(request, path)
            return request.isWatch
                ? watch(request, selector, format, on: eventLoop) : list(selector, format)
        } catch {
            return .status(error.status)
        }
    }

    private func get(_ name: String, _ path: ResourcePath, _ format: ObjectFormat) -> APIResponse {
        let key = ObjectKey(namespace: path.namespace, name: name)
        guard let object = store.object(path.kind.storage, key) ?? nodeLease(path.kind, key) else {
            return .status(.notFound(path.kind, name))
        }
        return .object(200, format.document(object))
    }

    /// The lease that a kubelet keeps for its node.
    private func nodeLease(_ kind: ResourceKind, _ key: ObjectKey) -> JSONValue? {
        guard kind == .leases, key.namespace == "kube-node-lease", let node = cluster.node(key.name)
        else { return nil }
        let renewed = Timestamp.text(Clock.seconds()).dropLast() + ".000000Z"
        return [
            "kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
            "metadata": [
                "name": .string(key.name), "namespace": .string(key.namespace),
                "uid": .string(node.uid), "resourceVersion": .string("\(node.resourceVersion)"),
                "creationTimestamp": .string(Timestamp.text(node.values.created)),
            ],
            "spec": [
                "holderIdentity": .string(key.name), "leaseDurationSeconds": .number(40),
                "renewTime": .string(String(renewed)),
            ],
        ]
    }

    private func list(_ selector: ObjectSelector, _ format: ObjectFormat) -> APIResponse {
        let now = store.snapshot(selector.storage)
        return .object(
            200,
            format.list(
                now.objects.filter(selector.matches).map(\.document),
                resourceVersion: now.resourceVersion))
    }

    private func watch(
        _ request: APIRequest, _ selector: ObjectSelector, _ format: ObjectFormat,
        on eventLoop: any EventLoop
    ) -> APIResponse {
        let parameters = WatchParameters(request, options, current: store.resourceVersion)
        guard let watch = parameters.request else { return .status(parameters.refusal) }
        let store = store
        let feed = WatchFeed<StoredObject>(
            resourceVersion: { store.resourceVersion },
            watchAfter: { store.watch(after: $0, $1) },
            watchFromNow: { store.watchFromNow(selector.storage, $0) },
            stopWatching: { store.stopWatching($0) },
            matches: selector.matches,
            writer: .json(
                append: { format.document($0.document).append(to: &$1) },
                appendBookmark: { metadata, json in
                    json.raw("{\"kind\":\"\(format.kind.kind)\",\"apiVersion\":")
                    json.raw("\"\(format.kind.apiVersion)\",\"metadata\":\(metadata)}")
                }))
        return .stream(WatchProducer(feed, watch, on: eventLoop))
    }
}

/// Which objects of a resource a request is about.
private struct ObjectSelector: Sendable {
    let storage: String
    private let namespace: String
    private let labels: LabelSelector
    private let fields: [(path: [String], isEqual: Bool, value: String)]

    init(_ request: APIRequest, _ path: ResourcePath) throws(InvalidSelector) {
        storage = path.kind.storage
        namespace = path.namespace
        labels = try LabelSelector(request.query["labelSelector"] ?? "")
        var fields: [(path: [String], isEqual: Bool, value: String)] = []
        for part in LabelSelector.split(request.query["fieldSelector"] ?? "") {
            guard let (key, isEqual, value) = LabelSelector.comparison(part) else {
                throw InvalidSelector(message: "invalid field selector: \(part)")
            }
            fields.append((key.split(separator: ".").map(String.init), isEqual, value))
        }
        self.fields = fields
    }

    func matches(_ object: StoredObject) -> Bool {
        guard object.storage == storage, namespace.isEmpty || object.key.namespace == namespace
        else { return false }
        for field in fields {
            let value = field.path.reduce(Optional(object.document)) { $0?[$1] }
            guard (value?.string ?? "" == field.value) == field.isEqual else { return false }
        }
        return labels.selectsAll || labels.matches(object.document.labels)
    }
}
