public import FoundationEssentials

/// Something that happened to an object, for `kubectl describe` and `kubectl get events` to show
/// (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
public struct ClusterEvent: Sendable, Hashable {
    /// How to take it.
    public enum Severity: String, Sendable, Hashable {
        /// For information.
        case normal = "Normal"
        /// Somebody should look.
        case warning = "Warning"
    }

    /// What it is about.
    public struct Reference: Sendable, Hashable {
        /// "Node".
        public var kind: String
        /// "v1".
        public var apiVersion: String
        /// The object's name.
        public var name: String
        /// The object's namespace; "" where it has none.
        public var namespace: String
        /// The object's uid.
        public var uid: String

        /// Any object.
        public init(
            kind: String, apiVersion: String = "v1", name: String, namespace: String = "",
            uid: String
        ) {
            self.kind = kind
            self.apiVersion = apiVersion
            self.name = name
            self.namespace = namespace
            self.uid = uid
        }
    }

    /// What it is about.
    public var regarding: Reference
    /// Why, in one word in upper camel case: "ImageStorageChanged". 128 bytes at most.
    public var reason: String
    /// What was done, in one word in upper camel case: "Observe". 128 bytes at most.
    public var action: String
    /// For people. More than 1,024 bytes are cut off, for the API server would refuse them.
    public var note: String
    /// How to take it.
    public var severity: Severity
    /// Who says so: "plimsoll".
    public var controller: String
    /// Which one of them: the pod's name. 128 bytes at most.
    public var instance: String
    /// When.
    public var time: Date
    /// What tells it from others of the object, in letters and digits, 32 at most: recording it again is
    /// refused with 409. Nil: time and chance.
    public var identifier: String?

    /// An event of now.
    public init(
        regarding: Reference, reason: String, action: String, note: String,
        severity: Severity = .normal, controller: String, instance: String, time: Date = Date()
    ) {
        self.regarding = regarding
        self.reason = reason
        self.action = action
        self.note = note
        self.severity = severity
        self.controller = controller
        self.instance = instance
        self.time = time
    }

    private static let maxNoteBytes = 1024

    /// The namespace it belongs into: events of objects without one are kept in "default".
    public var namespace: String { regarding.namespace.isEmpty ? "default" : regarding.namespace }

    /// The object to create.
    public var object: KubeObject {
        // Told apart by the time and by chance; a name may have 253 bytes.
        let stamp = String(UInt64(max(0, time.timeIntervalSince1970) * 1e6), radix: 16)
        let chance = String(UInt32.random(in: 0x1000...0xffff), radix: 16)
        let suffix = identifier.map { String($0.lowercased().prefix(32)) } ?? stamp + chance
        var object = KubeObject(.events, name: "\(regarding.name.prefix(220)).\(suffix)")
        object.json["metadata", "namespace"] = .string(namespace)
        object.json["regarding"] = [
            "kind": .string(regarding.kind), "apiVersion": .string(regarding.apiVersion),
            "name": .string(regarding.name), "uid": .string(regarding.uid),
        ]
        if !regarding.namespace.isEmpty {
            object.json["regarding", "namespace"] = .string(regarding.namespace)
        }
        object.json["eventTime"] = .string(MicroTime.text(time))
        object.json["reason"] = .string(reason)
        object.json["action"] = .string(action)
        object.json["type"] = .string(severity.rawValue)
        object.json["note"] = .string(Self.cut(note))
        object.json["reportingController"] = .string(controller)
        object.json["reportingInstance"] = .string(instance)
        return object
    }

    /// The beginning of a text, whole characters only.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > maxNoteBytes else { return text }
        var result = ""
        var bytes = 0
        for character in text {
            bytes += character.utf8.count
            if bytes > maxNoteBytes - "…".utf8.count { break }
            result.append(character)
        }
        return result + "…"
    }
}

extension KubeClient {
    /// Records an event.
    ///
    /// - Throws: As ``ResourceClient``.
    public func record(_ event: ClusterEvent) async throws(KubeError) {
        try await resources(.events, in: event.namespace).create(event.object)
    }
}
