import ObjectEncoding
import Synchronization

/// One object that is no node, at one resourceVersion.
struct StoredObject: Versioned {
    /// `ResourceKind.storage`.
    var storage: String
    var key: ObjectKey
    var document: JSONValue
    var resourceVersion: Int

    init(_ storage: String, _ key: ObjectKey, _ document: JSONValue, _ resourceVersion: Int) {
        var document = document
        document["metadata", "resourceVersion"] = .string("\(resourceVersion)")
        self.storage = storage
        self.key = key
        self.document = document
        self.resourceVersion = resourceVersion
    }
}

/// Everything but nodes: leases, events, services and the like. Thread-safe.
final class ObjectStore: Sendable {
    /// Of one resource so many are kept, the oldest go first: events would pile up for ever.
    private static let maxObjects = 20_000

    private struct State {
        var objects: [String: [ObjectKey: StoredObject]] = [:]
        var history = History<StoredObject>(limit: 10_000)
        var random = SeededRandom(seed: 0x5eed)
    }

    private let state = Mutex(State())

    init() {
        for name in ["default", "kube-system", "kube-node-lease", "kube-public"] {
            let namespace: JSONValue = [
                "kind": "Namespace", "apiVersion": "v1", "metadata": ["name": .string(name)],
                "spec": ["finalizers": .array(["kubernetes"])], "status": ["phase": "Active"],
            ]
            _ = create("namespaces", ObjectKey(namespace: "", name: name), namespace, dryRun: false)
        }
    }

    var resourceVersion: Int { state.withLock { $0.history.resourceVersion } }

    /// The objects of a resource by namespace and name, at one resourceVersion.
    func snapshot(_ storage: String) -> (objects: [StoredObject], resourceVersion: Int) {
        state.withLock { (Self.sorted($0, storage), $0.history.resourceVersion) }
    }

    private static func sorted(_ state: State, _ storage: String) -> [StoredObject] {
        (state.objects[storage] ?? [:]).values.sorted {
            ($0.key.namespace, $0.key.name) < ($1.key.namespace, $1.key.name)
        }
    }

    // MARK: Watching

    func watch(
        after version: Int, _ notify: @escaping History<StoredObject>.Notify
    ) -> Result<Int, HistoryExpired> {
        state.withLock { $0.history.watch(after: version, notify) }
    }

    func watchFromNow(
        _ storage: String, _ notify: @escaping History<StoredObject>.Notify
    ) -> (watcher: Int, objects: [StoredObject], resourceVersion: Int) {
        state.withLock { state in
            (
                state.history.watch(notify), Self.sorted(state, storage),
                state.history.resourceVersion
            )
        }
    }

    func stopWatching(_ watcher: Int) { state.withLock { $0.history.stopWatching(watcher) } }
    func cutWatches() { state.withLock { $0.history.cutWatches() } }
    func compact() { state.withLock { $0.history.forget(endingWatches: true) } }

    // MARK: Changing

    func object(_ storage: String, _ key: ObjectKey) -> JSONValue? {
        state.withLock { $0.objects[storage]?[key]?.document }
    }

    func create(
        _ storage: String, _ key: ObjectKey, _ document: JSONValue, dryRun: Bool
    ) -> JSONValue? {
        state.withLock { state in
            guard state.objects[storage]?[key] == nil else { return nil }
            var document = document
            document["metadata", "uid"] = .string(state.random.uuid())
            document["metadata", "creationTimestamp"] = .string(Timestamp.text(Clock.seconds()))
            if dryRun { return document }
            let object = StoredObject(storage, key, document, state.history.next())
            state.objects[storage, default: [:]][key] = object
            state.history.publish(Change(type: .added, object: object))
            Self.dropOldest(storage, &state)
            return object.document
        }
    }

    private static func dropOldest(_ storage: String, _ state: inout State) {
        guard let objects = state.objects[storage], objects.count > maxObjects else { return }
        let oldest = objects.values.sorted { $0.resourceVersion < $1.resourceVersion }
        for object in oldest.prefix(maxObjects / 10) { remove(object, &state) }
    }

    @discardableResult
    private static func remove(_ object: StoredObject, _ state: inout State) -> StoredObject {
        state.objects[object.storage]?[object.key] = nil
        let last = StoredObject(
            object.storage, object.key, object.document, state.history.next())
        state.history.publish(Change(type: .deleted, object: last, previous: object))
        return last
    }

    func update(
        _ storage: String, _ key: ObjectKey, dryRun: Bool,
        _ change: (JSONValue) -> ObjectRepository.Outcome
    ) -> ObjectRepository.Outcome? {
        state.withLock { state in
            guard let previous = state.objects[storage]?[key] else { return nil }
            return change(previous.document).map { document in
                if dryRun || document == previous.document { return document }
                let object = StoredObject(storage, key, document, state.history.next())
                state.objects[storage]?[key] = object
                state.history.publish(
                    Change(type: .modified, object: object, previous: previous))
                return object.document
            }
        }
    }

    func delete(
        _ storage: String, _ key: ObjectKey, dryRun: Bool, _ objection: (JSONValue) -> StatusBody?
    ) -> ObjectRepository.Outcome? {
        state.withLock { state in
            guard let object = state.objects[storage]?[key] else { return nil }
            if let status = objection(object.document) { return .failure(status) }
            return .success(dryRun ? object.document : Self.remove(object, &state).document)
        }
    }
}
