import ObjectEncoding

/// Nodes at random, from a seed, as a server writes them: every field of its type, what is empty left
/// out of JSON, and strings of any kind.
struct TypedNodes {
    private var chance: Chance

    init(seed: UInt64) { chance = Chance(seed: seed) }

    private mutating func next(_ bound: Int) -> Int { chance.next(bound) }
    private mutating func oneIn(_ count: Int) -> Bool { chance.next(count) == 0 }

    private mutating func text(_ usual: String) -> JSONValue {
        guard oneIn(30) else { return .string(usual) }
        let odd = [
            "\"\(usual)\\", "<\(usual)&>", "é\(usual)\u{2028}", "\u{1F600}\(usual)", "\n\t\u{1}",
            #"{"names":["\#(usual)"]}"#, String(repeating: usual, count: 40),
        ]
        return .string(odd[next(odd.count)])
    }

    private mutating func image() -> JSONValue {
        let number = next(300)
        let name = "registry.example/app-\(number)"
        let digest = "\(name)@sha256:" + String(repeating: "\(number % 10)", count: 64)
        var entry = JSONObject()
        if !oneIn(40) {
            var names = [text(digest), text("\(name):v\(number % 7)")]
            if oneIn(8) { names.removeLast() }
            entry["names"] = .array(names)
        }
        let size = oneIn(50) ? Int.max : oneIn(300) ? 0 : number * 1_000_003
        if size != 0 { entry["sizeBytes"] = .number(size) }
        return .object(entry)
    }

    private mutating func labels() -> JSONValue {
        var labels = JSONObject()
        for key in ["old-zone", "pool", "zone"] where !oneIn(5) { labels[key] = text("\(key)-1") }
        labels["kubernetes.io/hostname"] = text("h")
        return .object(labels)
    }

    mutating func node() -> JSONValue {
        let number = next(1000)
        var metadata: JSONValue = [
            "name": .string("node-\(number)"), "uid": text("uid-\(number)"),
            "resourceVersion": .string("\(next(100_000))"),
            "creationTimestamp": .string(Timestamp.text(next(4_000_000_000))),
            "labels": labels(), "annotations": ["ttl": text("0")],
        ]
        if oneIn(10) {
            metadata["deletionTimestamp"] = .string(Timestamp.text(next(4_000_000_000)))
        }
        var spec: JSONValue = ["podCIDR": "10.0.0.0/24"]
        if oneIn(3) { spec["unschedulable"] = .bool(true) }
        var status: JSONValue = [
            "capacity": ["cpu": "4", "ephemeral-storage": "104845292Ki"],
            "allocatable": ["ephemeral-storage": "95551679124", "pods": "58"],
            "nodeInfo": [
                "machineID": "m", "bootID": text("b-\(number)"),
                "containerRuntimeVersion": text("containerd://2.1"), "kubeletVersion": "v1.36.0",
            ],
        ]
        let states = ["True", "False", "Unknown"]
        status["conditions"] = .array(
            ["MemoryPressure", "DiskPressure", "Ready"].map { type in
                [
                    "type": .string(type), "status": .string(states[next(3)]),
                    "lastHeartbeatTime": "2026-01-02T03:04:05Z", "message": text("m"),
                ]
            })
        let images = (0..<next(12)).map { _ in image() }
        if !images.isEmpty { status["images"] = .array(images) }
        if oneIn(30) { status["capacity"] = nil }
        return [
            "kind": "Node", "apiVersion": "v1", "metadata": metadata, "spec": spec,
            "status": status,
        ]
    }

    /// The same stream in both formats.
    mutating func watch(_ count: Int) -> (json: [UInt8], protobuf: [UInt8]) {
        var json = JSONText()
        var protobuf = ProtobufText()
        for _ in 0..<count {
            let type = ["ADDED", "MODIFIED", "DELETED"][next(3)]
            let node = node()
            json.raw("{\"type\":\"\(type)\",\"object\":")
            node.append(to: &json)
            json.raw("}\n")
            protobuf.watchEvent(type) { _ = $0.body(node) }
        }
        return (json.bytes, protobuf.bytes)
    }
}
