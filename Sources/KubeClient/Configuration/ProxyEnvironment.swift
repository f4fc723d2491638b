#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The proxy that the environment names for a server, after the rules of Go's `httpproxy`, which
/// kubectl follows: HTTPS_PROXY or HTTP_PROXY by the server's scheme, upper case before lower, unless
/// NO_PROXY names the server; never for this machine.
struct ProxyEnvironment {
    let variables: [String: String]

    /// "": no proxy.
    func proxyURL(for server: String) -> String {
        let isSecure = server.hasPrefix("https://")
        let (host, port) = Self.split(Self.authority(of: server))
        let proxy = variable(isSecure ? "HTTPS_PROXY" : "HTTP_PROXY")
        if proxy.isEmpty || Self.isThisMachine(host) { return "" }
        let exceptions = variable("NO_PROXY").lowercased()
        let isExcepted = exceptions.split { $0 == "," || $0.isWhitespace }.contains { entry in
            Self.matches(entry, host.lowercased(), port ?? (isSecure ? "443" : "80"))
        }
        if isExcepted { return "" }
        return proxy.contains("://") ? proxy : "http://" + proxy
    }

    /// A proxy's URL with its port: without one, the scheme's counts, where libcurl takes 1080.
    static func withPort(_ url: String) -> String {
        let ports = ["http": 80, "https": 443, "socks5": 1080, "socks5h": 1080]
        guard let end = url.firstRange(of: "://"), let port = ports[String(url[..<end.lowerBound])]
        else { return url }
        let rest = authority(of: url)
        let host = rest.split(separator: "@").last ?? rest
        return split(host).port == nil ? "\(url[..<end.upperBound])\(rest):\(port)" : url
    }

    /// Host and port of a URL, with a user where it names one.
    static func authority(of url: String) -> Substring {
        url.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" }
    }

    private func variable(_ name: String) -> String {
        [name, name.lowercased()].lazy.compactMap { variables[$0] }.first { !$0.isEmpty } ?? ""
    }

    private static func isThisMachine(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (bytes(host)?.count == 4 && host.hasPrefix("127."))
    }

    /// "host:port", "[::1]:port", or either without a port; without the brackets.
    private static func split(_ text: some StringProtocol) -> (host: String, port: String?) {
        if text.hasPrefix("[") {
            let host = text.dropFirst().prefix { $0 != "]" }
            let rest = text.dropFirst(host.count + 2)
            return (String(host), rest.hasPrefix(":") ? String(rest.dropFirst()) : nil)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return (String(text), nil) }
        return (String(parts[0]), String(parts[1]))
    }

    /// Whether an entry of NO_PROXY names a host: "*", a network in CIDR, an address, or a domain
    /// with those below it (only those where it begins with a dot); perhaps with a port.
    private static func matches(_ entry: Substring, _ host: String, _ port: String) -> Bool {
        if entry == "*" { return true }
        if entry.contains("/") { return isInNetwork(host, entry) }
        var (wanted, wantedPort) = split(entry)
        if let wantedPort, wantedPort != port { return false }
        if let address = bytes(wanted) { return address == bytes(host) }
        if wanted.hasPrefix("*.") { wanted.removeFirst() }
        if wanted.hasPrefix(".") { return host.hasSuffix(wanted) }
        return host == wanted || host.hasSuffix("." + wanted)
    }

    private static func isInNetwork(_ host: String, _ network: Substring) -> Bool {
        let parts = network.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let bits = Int(parts[1]), let base = bytes(String(parts[0])),
            let address = bytes(host), address.count == base.count, bits >= 0,
            bits <= base.count * 8
        else { return false }
        let whole = bits / 8
        guard address[..<whole] == base[..<whole] else { return false }
        let rest = bits % 8
        return rest == 0 || (address[whole] ^ base[whole]) >> (8 - rest) == 0
    }

    /// The bytes of an IP address, 4 or 16; nil for what is none.
    private static func bytes(_ text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}
