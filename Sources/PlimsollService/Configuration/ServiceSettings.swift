import FoundationEssentials
public import ImageAlerts
package import KubeClient
public import NodeWatch

/// What the service does, beside alerting by rules.
public struct ServiceSettings: Sendable {
    /// What the cluster is called in alerts; nil: as its context.
    public var clusterName: String?
    /// Where HTTP is served; nil: all addresses in a pod, and this machine alone elsewhere.
    public var listen: ListenAddress?
    /// PEM files of the certificate that HTTP is served with, and its key; nil: plain HTTP.
    public var tlsCertificate: String?
    /// See ``tlsCertificate``.
    public var tlsKey: String?
    /// The file with the token that is asked for, but for probes; nil: none is.
    public var tokenFile: String?
    /// Where what must survive the process is kept; nil: nowhere.
    public var stateFolder: String?
    /// Labels that nodes must have.
    public var selector = ""
    /// Fields that nodes must have.
    public var fieldSelector = ""
    /// Which part of the nodes; nil: all.
    public var shard: Shard?
    /// After so long without a word from the server, the view is not relied on.
    public var staleAfter = Duration.seconds(150)
    /// How patient the detector is with new and rebooted nodes.
    public var warmUp = ImageChangeDetector.Options().warmUp
    /// Whether kubelets are asked what images really take.
    public var asksKubelets = false
    /// How alerts are written to standard output; nil: not at all.
    public var output: AlertFormat? = .json
    /// How standard error is written; nil: text on a terminal, else JSON.
    public var logFormat: AlertFormat?
    /// How long after a signal sinks are waited for.
    public var shutdownPatience = Duration.seconds(20)

    /// Whether this process is one of several, of which one leads.
    public var electsLeader = false
    /// What they contend for; nil: one lease a shard, in the namespace that the process is at home in.
    public var leaseName: String?
    /// See ``leaseName``.
    public var leaseNamespace: String?
    /// See `LeaderElector.Options`.
    public var leaseDuration = Duration.seconds(15)
    /// See `LeaderElector.Options`.
    public var renewDeadline = Duration.seconds(10)
    /// See `LeaderElector.Options`.
    public var retryPeriod = Duration.seconds(2)

    /// With more nodes than this none has series of its own in the metrics.
    public var nodeSeries = ServiceMetrics.usualNodeLimit
    /// What was set, by key, as it was written.
    private var texts: [String: String] = [:]

    /// The defaults.
    public init() {}

    /// False where the text is none of the setting's values.
    mutating func set(_ setting: Setting, _ text: String) -> Bool {
        guard setting.set(&self, text) else { return false }
        texts[setting.key] = text
        return true
    }

    /// The keys of what is set otherwise.
    public func differences(from other: ServiceSettings) -> [String] {
        Self.all.map(\.key).filter { texts[$0] != other.texts[$0] }
    }
}

extension ServiceSettings {
    /// One thing that can be set, by the same text in a file, in the environment and on the command line.
    package struct Setting: Sendable {
        /// As in the file: "stale_after".
        package var key: String
        /// What it should be: "time such as 90s".
        package var what: String
        /// For people, with the default.
        package var meaning: String
        /// What a JSON Schema says of it.
        package var schema: [String: JSONValue]
        /// False where the text is none of its values.
        package var set: @Sendable (inout ServiceSettings, String) -> Bool

        /// "--stale-after".
        package var flag: String { "--" + key.replacing("_", with: "-") }
        /// "PLIMSOLL_STALE_AFTER".
        package var variable: String { "PLIMSOLL_" + key.uppercased() }
    }

    private static let timeWords = "time such as 90s, 10m or 1h30m"
    private static let formats = AlertFormat.allCases.map(\.rawValue)

    /// All of them, in the order in which they are shown.
    package static let all: [Setting] = [
        text("cluster_name", "What the cluster is called in alerts; its context's name.") {
            $0.clusterName = $1
        },
        Setting(
            key: "listen", what: "address such as :8080, 127.0.0.1:8080 or 8080",
            meaning: "Where HTTP is served; in a pod :8080, elsewhere 127.0.0.1:8080.",
            schema: ["type": .array(["string", "integer"])]
        ) { settings, text in
            settings.listen = ListenAddress(text)
            return settings.listen != nil
        },
        text(
            "tls_certificate",
            "A PEM file: HTTP is served with this certificate, and those it hangs from."
        ) {
            $0.tlsCertificate = $1
        },
        text("tls_key", "A PEM file with the certificate's key.") { $0.tlsKey = $1 },
        text("token_file", "A file with the token that who asks for more than probes must have.") {
            $0.tokenFile = $1
        },
        text("state", "The folder for what must survive the process; without one nothing does.") {
            $0.stateFolder = $1
        },
        text("selector", "Only nodes with these labels: pool=gpu,zone!=a.") { $0.selector = $1 },
        text("field_selector", "Only nodes with these fields.") { $0.fieldSelector = $1 },
        Setting(
            key: "shard", what: "part such as 2/4", meaning: "Only this part of the nodes.",
            schema: ["type": "string", "pattern": "^[0-9]+/[0-9]+$"]
        ) { settings, text in
            settings.shard = Shard(text)
            return settings.shard != nil
        },
        time("stale_after", "So long may the server be silent before /readyz says no; 150s.") {
            $0.staleAfter = $1
        },
        time("warm_up", "So long new and rebooted nodes are not compared; 120s.", zero: true) {
            $0.warmUp = $1
        },
        truth("image_fs", "Whether kubelets are asked what images really take; needs nodes/stats.")
        { $0.asksKubelets = $1 },
        format("output", "How alerts are written to standard output, or none; json.") {
            $0.output = $1
        },
        Setting(
            key: "log_format", what: "format; there are \(formats.joined(separator: ", "))",
            meaning: "How standard error is written; text on a terminal, else json.",
            schema: ["enum": .array(formats.map { .string($0) })]
        ) { settings, text in
            settings.logFormat = AlertFormat(rawValue: text)
            return settings.logFormat != nil
        },
        Setting(
            key: "node_series", what: "number of nodes",
            meaning: "With more nodes than this none has series of its own in the metrics; 500.",
            schema: ["type": "integer", "minimum": .integer(0)]
        ) { settings, text in
            guard let count = Int(text), count >= 0 else { return false }
            settings.nodeSeries = count
            return true
        },
        truth(
            "leader_election", "Whether this process is one of several, of which one tells; false."
        ) {
            $0.electsLeader = $1
        },
        text("lease_name", "The Lease they contend for; plimsoll, of a shard plimsoll-2-of-4.") {
            $0.leaseName = $1
        },
        text("lease_namespace", "The Lease's namespace; the pod's own, else the context's.") {
            $0.leaseNamespace = $1
        },
        time("lease_duration", "So long after a renewal nobody else leads, in whole seconds; 15s.")
        {
            $0.leaseDuration = $1
        },
        time("renew_deadline", "Who has not renewed for so long stops telling; 10s.") {
            $0.renewDeadline = $1
        },
        time("retry_period", "How often who leads renews, and others look; 2s.") {
            $0.retryPeriod = $1
        },
        time("shutdown_patience", "So long sinks are waited for at the end; 20s.", zero: true) {
            $0.shutdownPatience = $1
        },
    ]

    // MARK: Kinds of settings

    private static func text(
        _ key: String, _ meaning: String,
        _ set: @escaping @Sendable (inout ServiceSettings, String) -> Void
    ) -> Setting {
        Setting(
            key: key, what: "text", meaning: meaning,
            schema: ["type": "string", "minLength": .integer(1)]
        ) { settings, text in
            set(&settings, text)
            return !text.isEmpty
        }
    }

    private static func time(
        _ key: String, _ meaning: String, zero: Bool = false,
        _ set: @escaping @Sendable (inout ServiceSettings, Duration) -> Void
    ) -> Setting {
        Setting(
            key: key, what: timeWords, meaning: meaning,
            schema: ["type": zero ? .array(["string", "integer"]) : "string"]
        ) { settings, text in
            guard let time = DurationText.parse(text), zero || time > .zero else { return false }
            set(&settings, time)
            return true
        }
    }

    private static func truth(
        _ key: String, _ meaning: String,
        _ set: @escaping @Sendable (inout ServiceSettings, Bool) -> Void
    ) -> Setting {
        Setting(
            key: key, what: "true or false", meaning: meaning,
            schema: ["enum": .array([.bool(true), .bool(false), "true", "false"])]
        ) { settings, text in
            guard let value = Bool(text) else { return false }
            set(&settings, value)
            return true
        }
    }

    private static func format(
        _ key: String, _ meaning: String,
        _ set: @escaping @Sendable (inout ServiceSettings, AlertFormat?) -> Void
    ) -> Setting {
        Setting(
            key: key, what: "format; there are \(formats.joined(separator: ", ")), none",
            meaning: meaning, schema: ["enum": .array((formats + ["none"]).map { .string($0) })]
        ) { settings, text in
            let format = AlertFormat(rawValue: text)
            set(&settings, format)
            return format != nil || text == "none"
        }
    }
}
