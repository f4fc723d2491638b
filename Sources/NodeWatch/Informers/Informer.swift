import FoundationEssentials
public import KubeClient

/// Keeps the objects of any type in a store, and tells what happens to them. What of an object is
/// kept is the user's choice: a `Decodable` with the members that matter, and no more memory than
/// those take; or `KubeObject`, which keeps all of it.
///
/// ```swift
/// struct Service: Decodable { struct Spec: Decodable { var clusterIP: String? }; var spec: Spec }
/// let type = ResourceType(plural: "services", kind: "Service", isNamespaced: true)
/// let services = try Informer<Service>(client: client, type)
/// services.addHandler { change in print(change.object.key, change.object.spec.clusterIP ?? "") }
/// try await services.run()
/// ```
///
/// It does all that ``SharedNodeInformer`` does, and promises the same. An object that cannot be
/// decoded is told to `onNotice`, and its last good state stays. All methods may be called from any
/// thread.
public final class Informer<Value: Sendable>: Sendable {
    private let client: KubeClient
    private let reader: ResourceReader<Value>
    private let selector: NodeSelector
    private let core: InformerCore<ResourceTable<Value>>
    private let options: RunnerOptions
    private let onNotice: @Sendable (WatchNotice) -> Void

    /// Makes an informer of what a function makes of each object. Nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - client: Whose objects.
    ///   - type: Of which type.
    ///   - namespace: Where; "" for all namespaces, and for types without.
    ///   - labelSelector: Which of them, by labels: "app=web".
    ///   - fieldSelector: Which of them, by fields: "metadata.name=x".
    ///   - resync: As ``SharedNodeInformer``.
    ///   - queueLimit: As ``SharedNodeInformer``.
    ///   - batchWindow: As of a ``SharedNodeInformer``.
    ///   - onNotice: As of a ``SharedNodeInformer``.
    ///   - decode: Called on the stream's thread with an object's JSON, once for each version.
    /// - Throws: `memory`.
    public init(
        client: KubeClient, _ type: ResourceType, namespace: String = "",
        labelSelector: String = "", fieldSelector: String = "", resync: Duration? = nil,
        batchWindow: Duration = .milliseconds(50), queueLimit: Int = 10_000,
        onNotice: @escaping @Sendable (WatchNotice) -> Void = { _ in },
        decode: @escaping @Sendable ([UInt8]) throws -> Value
    ) throws(KubeError) {
        self.client = client
        self.onNotice = onNotice
        var options = RunnerOptions()
        options.batchWindow = batchWindow
        self.options = options
        selector = NodeSelector(labels: labelSelector, fields: fieldSelector)
        reader = ResourceReader(
            path: type.path(namespace: namespace), resourceName: type.qualifiedName, decode: decode)
        core = try InformerCore(queueLimit: queueLimit, resync: resync) {
            onNotice(.handlerFailed($0))
        }
    }

    /// The objects as they are known now.
    public var store: ResourceStore<Value> { ResourceStore(core: core) }

    /// Counts since ``run()``.
    public var statistics: WatchStatistics { core.counters.current }

    /// How fresh the store is.
    public var freshness: Freshness { core.freshness }

    /// What happens, as a sequence. Each iteration begins with the objects that are there.
    public func changes() -> ObjectChanges<Resource<Value>> { core.changes() }

    /// Adds a handler, as to a ``SharedNodeInformer``.
    @discardableResult
    public func addHandler(
        resync: Duration? = nil,
        _ handler: @escaping @Sendable (ObjectChange<Resource<Value>>) async throws -> Void
    ) -> HandlerRegistration {
        core.addHandler(resync: resync, handler)
    }

    /// Watches until the task is cancelled. Then readers get what is queued, and the end.
    ///
    /// - Throws: `request` when it has run before.
    public func run() async throws(KubeError) {
        let (client, reader, selector) = (client, reader, selector)
        let (core, options, onNotice) = (core, options, onNotice)
        try await core.run {
            ReflectorRunner(
                Network(client, core.canceller), reader, selector, core.hub, core.counters, options,
                notify: onNotice
            ).run()
        }
    }
}

extension Informer where Value: Decodable {
    /// Makes an informer of what is `Decodable` from each object. Nothing happens before ``run()``.
    ///
    /// Parameters as of the other.
    ///
    /// - Throws: `memory`.
    public convenience init(
        client: KubeClient, _ type: ResourceType, namespace: String = "",
        labelSelector: String = "", fieldSelector: String = "", resync: Duration? = nil,
        batchWindow: Duration = .milliseconds(50), queueLimit: Int = 10_000,
        onNotice: @escaping @Sendable (WatchNotice) -> Void = { _ in }
    ) throws(KubeError) {
        try self.init(
            client: client, type, namespace: namespace, labelSelector: labelSelector,
            fieldSelector: fieldSelector, resync: resync, batchWindow: batchWindow,
            queueLimit: queueLimit, onNotice: onNotice
        ) { json in
            try JSONDecoder().decode(Value.self, from: Data(json))
        }
    }
}
