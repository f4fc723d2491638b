/// Nodes at random, from a seed: of the usual shape mostly, and in many ways not. All of it is JSON.
struct GeneratedNodes {
    private var chance: Chance

    init(seed: UInt64) { chance = Chance(seed: seed) }

    private mutating func next(_ bound: Int) -> Int { chance.next(bound) }
    private mutating func oneIn(_ count: Int) -> Bool { chance.next(count) == 0 }

    private mutating func pick(_ choices: [String]) -> String { choices[next(choices.count)] }

    private mutating func space() -> String { oneIn(40) ? pick([" ", "\n\t", "  \r\n"]) : "" }

    /// A string, mostly plain.
    private mutating func string(_ text: String) -> String {
        guard oneIn(60) else { return "\"\(text)\"" }
        return pick([
            "\"\(text)\\u0041\"", "\"\\\"\(text)\\\\\"", "\"é\(text)\"", "\"\(text){[\\\"]}\"",
            "\"{\\\"names\\\":[\\\"\(text)\\\"]}\"", "\"\"", "\"\\\\\"",
        ])
    }

    /// What is no business of the place where it stands.
    private mutating func other() -> String {
        pick([
            "null", "true", "false", "0", "-1", "1.5e3", "18446744073709551616", "\"text\"", "{}",
            "[]", "[[{\"names\":[\"a\"]}]]",
            "{\"images\":[{\"names\":[\"decoy\"],\"sizeBytes\":9}]}",
        ])
    }

    private mutating func value(_ usual: String) -> String { oneIn(150) ? other() : usual }

    private mutating func object(_ members: [(String, String)]) -> String {
        var members = members
        if oneIn(20) { members.swapAt(0, next(members.count)) }
        if oneIn(60) { members.remove(at: next(members.count)) }
        if oneIn(60), !members.isEmpty { members.append(members[next(members.count)]) }
        if oneIn(30) { members.insert(("extra-\(next(9))", other()), at: 0) }
        var text = "{"
        for (index, (key, member)) in members.enumerated() {
            // "k\u0065y" is "key" to whoever reads it right.
            let key =
                oneIn(300) ? key.replacing("e", with: "\\u0065", maxReplacements: 1) : key
            text += (index == 0 ? "" : ",") + space() + "\"\(key)\"" + space() + ":" + space()
            text += member + space()
        }
        return text + "}"
    }

    private mutating func image() -> String {
        let number = next(200)
        let name = "registry.example/app-\(number)"
        var names = [
            string("\(name)@sha256:\(String(repeating: "\(number % 10)", count: 64))"),
            string("\(name):v\(number % 7)"),
        ]
        if oneIn(10) { names.removeLast() }
        if oneIn(60) { names = [] }
        let size = value(oneIn(50) ? "9223372036854775807" : "\(number * 1_000_003)")
        return object([
            ("names", value("[" + names.joined(separator: "," + space()) + "]")),
            ("sizeBytes", size),
        ])
    }

    private mutating func condition(_ type: String) -> String {
        object([
            ("type", value(string(type))),
            ("status", value(string(pick(["True", "False", "Unknown"])))),
            ("lastHeartbeatTime", "\"2026-01-02T03:04:05Z\""), ("message", string("it is \(type)")),
        ])
    }

    mutating func node() -> String {
        let number = next(1000)
        let images = (0..<next(12)).map { _ in image() }.joined(separator: "," + space())
        let conditions = ["MemoryPressure", "DiskPressure", "Ready"].map { condition($0) }
        let metadata = object([
            ("name", value(string("node-\(number)"))), ("uid", value(string("uid-\(number)"))),
            ("resourceVersion", value("\"\(next(100_000))\"")),
            ("creationTimestamp", value("\"2026-01-02T03:04:05Z\"")),
            (
                "labels",
                value(
                    object([
                        ("pool", value(string(pick(["a", "b"])))), ("old-zone", value("\"z1\"")),
                        ("zone", value("\"z2\"")),
                        ("kubernetes.io/hostname", string("h-\(number)")),
                    ]))
            ),
            ("annotations", value(object([("last", string("x")), ("ttl", "\"0\"")]))),
            (
                "managedFields",
                "[{\"fieldsV1\":{\"f:status\":{\"f:images\":{},\"k:{\\\"a\\\":1}\":{}}}}]"
            ),
        ])
        let status = object([
            (
                "capacity",
                value(object([("cpu", "\"4\""), ("ephemeral-storage", value("\"100Ki\""))]))
            ),
            (
                "allocatable",
                value(object([("ephemeral-storage", value("\"90Ki\"")), ("pods", "\"9\"")]))
            ),
            ("conditions", value("[" + conditions.joined(separator: ",") + "]")),
            (
                "nodeInfo",
                value(
                    object([
                        ("machineID", "\"m\""), ("bootID", value(string("b-\(number)"))),
                        ("containerRuntimeVersion", value("\"containerd://2.1\"")),
                        ("kubeletVersion", value("\"v1.36.0\"")), ("architecture", "\"amd64\""),
                    ]))
            ),
            ("images", value("[" + images + "]")),
        ])
        let spec = object([
            ("podCIDR", "\"10.0.0.0/24\""), ("unschedulable", value(pick(["true", "false"]))),
        ])
        return object([
            ("kind", value("\"Node\"")), ("apiVersion", "\"v1\""), ("metadata", value(metadata)),
            ("spec", value(spec)), ("status", value(status)),
        ])
    }

    mutating func watchEvents(_ count: Int) -> String {
        (0..<count).map { _ in
            object([
                ("type", value("\"" + pick(["ADDED", "MODIFIED", "DELETED"]) + "\"")),
                ("object", value(node())),
            ])
                + "\n"
        }.joined()
    }

    mutating func list(_ count: Int) -> String {
        "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":["
            + (0..<count).map { _ in node() }.joined(separator: ",") + "]}\n"
    }
}
