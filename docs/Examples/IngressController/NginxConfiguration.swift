import NodeWatch

/// What nginx is told: a file to be included in its `http` block.
///
/// A pure function of what is wanted, in an order of its own: the same wishes give the same text,
/// whatever the order in which they came.
enum NginxConfiguration {
    static func text(
        _ ingresses: [Resource<Ingress>], listen: String,
        service: (_ key: String) -> Resource<Service>?
    ) -> String {
        var locations: [String: [(line: String, target: String)]] = [:]
        for ingress in ingresses.sorted(by: { $0.key < $1.key }) {
            for rule in ingress.spec?.rules ?? [] {
                let host = rule.host ?? "_"
                guard isHost(host) else { continue }
                for path in rule.http?.paths ?? [] {
                    guard let line = location(path) else { continue }
                    // Of two that want the same place, the first by name has it.
                    let known = locations[host] ?? []
                    if known.contains(where: { $0.line == line }) { continue }
                    let target = target(path.backend, of: ingress, service)
                    locations[host] = known + [(line, target)]
                }
            }
        }
        var text = "# Written by the Ingress controller; changes are lost.\n"
        if locations["_"] == nil {
            text += "server {\n    listen \(listen) default_server;\n    return 404;\n}\n"
        }
        for (host, lines) in locations.sorted(by: { $0.key < $1.key }) {
            let isDefault = host == "_"
            text += "server {\n    listen \(listen)\(isDefault ? " default_server" : "");\n"
            text += "    server_name \(host);\n"
            for (line, target) in lines.sorted(by: { $0.line < $1.line }) {
                text += "    location \(line) {\n        \(target);\n    }\n"
            }
            text += "}\n"
        }
        return text
    }

    private static func location(_ path: Ingress.Path) -> String? {
        let text = path.path ?? "/"
        guard text.hasPrefix("/"), isPath(text) else { return nil }
        return path.pathType == "Exact" ? "= \(text)" : text
    }

    private static func target(
        _ backend: Ingress.Backend, of ingress: Resource<Ingress>,
        _ service: (String) -> Resource<Service>?
    ) -> String {
        guard let wanted = backend.service,
            let found = service("\(ingress.namespace)/\(wanted.name)"),
            let address = found.spec?.clusterIP, isAddress(address),
            let port = (found.spec?.ports ?? []).first(where: { port in
                wanted.port.number == port.port
                    || (wanted.port.name != nil && wanted.port.name == port.name)
            })
        else { return "return 503" }
        return "proxy_pass http://\(address.contains(":") ? "[\(address)]" : address):\(port.port)"
    }

    // Whoever may write an Ingress must not thereby write nginx's configuration.

    private static func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy { isWord($0) || "-.*".utf8.contains($0) }
    }

    private static func isPath(_ text: String) -> Bool {
        text.utf8.allSatisfy { isWord($0) || "-.~/%".utf8.contains($0) }
    }

    private static func isAddress(_ text: String) -> Bool {
        text != "None" && !text.isEmpty
            && text.utf8.allSatisfy { isWord($0) || ".:".utf8.contains($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }
}
