/// What of an object may be shown to strangers. What no rule knows is hidden, names of its fields included.
///
/// Numbers and truth values are always shown.
indirect enum AnonymisationRule: Sendable {
    /// A text that names nobody: a time, a version, a reason.
    case shown
    /// A text to be replaced; of anything else all that is in it.
    case hidden
    /// A text for people, shown where it is one that the server says to everybody.
    case message
    /// A text that is a label's key.
    case labelKey
    /// An object by its fields, or several such.
    case fields([[UInt8]: AnonymisationRule])
    /// An object by keys that somebody chose.
    case map(Keys)
    /// As what it is in.
    case again

    /// Whose keys they are.
    enum Keys: Sendable {
        case labels
        case annotations
        case resources
    }

    /// The rule of a member of an object, and whether its key may be shown.
    func member(_ key: [UInt8]) -> (rule: AnonymisationRule, isKeyShown: Bool) {
        switch self {
        case .fields(let fields):
            guard let rule = fields[key] else { return (.hidden, false) }
            if case .again = rule { return (self, true) }
            return (rule, true)
        case .map(let keys):
            let isShown = keys.mayShow(key)
            let isValueShown = isShown && keys.mayShowValue(key)
            return (isValueShown ? .shown : .hidden, isShown)
        case .shown, .hidden, .message, .labelKey, .again: return (.hidden, false)
        }
    }

    /// Whether a text may be shown as it is.
    func mayShow(_ text: [UInt8]) -> Bool {
        switch self {
        case .shown: true
        case .message: Self.isWellKnown(message: text)
        case .labelKey: Keys.labels.mayShow(text)
        // The status of a Status.
        case .fields: text.elementsEqual("Failure".utf8) || text.elementsEqual("Success".utf8)
        case .hidden, .map, .again: false
        }
    }

    private static let messages = [
        "too old resource version", "Too large resource version", "The provided continue",
        "The resourceVersion for the provided", "etcdserver:", "shard",
    ].map { Array($0.utf8) }

    private static func isWellKnown(message: [UInt8]) -> Bool {
        messages.contains { message.starts(with: $0) }
    }
}

extension AnonymisationRule.Keys {
    /// Whether a key is one of Kubernetes' or of the clouds', and not somebody's own.
    func mayShow(_ key: [UInt8]) -> Bool {
        guard let slash = key.firstIndex(of: UInt8(ascii: "/")) else {
            switch self {
            case .resources: return true
            case .labels:
                return key.elementsEqual("pool".utf8) || key.elementsEqual("agentpool".utf8)
            case .annotations: return false
            }
        }
        let domain = String(decoding: key[..<slash], as: UTF8.self)
        let known = [
            "kubernetes.io", "k8s.io", "k8s.aws", "amazonaws.com", "azure.com", "google.com",
            "karpenter.sh",
        ]
        return known.contains { domain == $0 || domain.hasSuffix("." + $0) }
    }

    /// Of a key that may be shown.
    func mayShowValue(_ key: [UInt8]) -> Bool {
        let name = String(decoding: key, as: UTF8.self)
        switch self {
        case .resources: return true
        case .labels:
            return name.hasSuffix("kubernetes.io/arch") || name.hasSuffix("kubernetes.io/os")
        case .annotations: return name == "k8s.io/initial-events-end"
        }
    }
}

extension AnonymisationRule {
    /// The rules of all that a server sends of nodes: a watch's events, lists, nodes, Statuses.
    static let nodes: AnonymisationRule = {
        let metadata = fields(
            ("name", .hidden), ("namespace", .hidden), ("uid", .hidden), ("selfLink", .hidden),
            ("generateName", .hidden), ("generation", .shown), ("resourceVersion", .shown),
            ("creationTimestamp", .shown), ("deletionTimestamp", .shown),
            ("deletionGracePeriodSeconds", .shown), ("remainingItemCount", .shown),
            ("continue", .hidden), ("labels", .map(.labels)),
            ("annotations", .map(.annotations)), ("finalizers", .hidden),
            ("ownerReferences", .hidden),
            (
                "managedFields",
                fields(
                    ("manager", .hidden), ("operation", .shown), ("apiVersion", .shown),
                    ("time", .shown), ("fieldsType", .shown), ("fieldsV1", .hidden),
                    ("subresource", .shown))
            ))
        let spec = fields(
            ("podCIDR", .hidden), ("podCIDRs", .hidden), ("providerID", .hidden),
            ("externalID", .hidden), ("unschedulable", .shown),
            (
                "taints",
                fields(
                    ("key", .labelKey), ("value", .hidden), ("effect", .shown),
                    ("timeAdded", .shown))
            ))
        let nodeInfo = fields(
            ("machineID", .hidden), ("systemUUID", .hidden), ("bootID", .hidden),
            ("kernelVersion", .shown), ("osImage", .shown), ("containerRuntimeVersion", .shown),
            ("kubeletVersion", .shown), ("kubeProxyVersion", .shown), ("operatingSystem", .shown),
            ("architecture", .shown), ("swap", fields(("capacity", .shown))))
        // A node's status is an object, a Status' a word.
        let status = fields(
            ("capacity", .map(.resources)),
            ("allocatable", .map(.resources)), ("phase", .shown),
            (
                "conditions",
                fields(
                    ("type", .shown), ("status", .shown), ("reason", .shown), ("message", .hidden),
                    ("lastHeartbeatTime", .shown), ("lastTransitionTime", .shown))
            ), ("addresses", fields(("type", .shown), ("address", .hidden))),
            ("daemonEndpoints", fields(("kubeletEndpoint", fields(("Port", .shown))))),
            ("nodeInfo", nodeInfo), ("images", fields(("names", .hidden), ("sizeBytes", .shown))),
            ("volumesInUse", .hidden),
            ("volumesAttached", fields(("name", .hidden), ("devicePath", .hidden))),
            (
                "runtimeHandlers",
                fields(
                    ("name", .hidden),
                    (
                        "features",
                        fields(("recursiveReadOnlyMounts", .shown), ("userNamespaces", .shown))
                    ))
            ), ("features", fields(("supplementalGroupsPolicy", .shown))))
        let details = fields(
            ("name", .hidden), ("group", .shown), ("kind", .shown), ("uid", .hidden),
            ("retryAfterSeconds", .shown),
            ("causes", fields(("reason", .shown), ("message", .message), ("field", .hidden))))
        return fields(
            ("type", .shown), ("kind", .shown), ("apiVersion", .shown), ("object", .again),
            ("items", .again), ("metadata", metadata), ("spec", spec), ("status", status),
            ("message", .message), ("reason", .shown), ("details", details), ("code", .shown))
    }()

    private static func fields(_ fields: (String, AnonymisationRule)...) -> AnonymisationRule {
        .fields(Dictionary(uniqueKeysWithValues: fields.map { (Array($0.0.utf8), $0.1) }))
    }
}
