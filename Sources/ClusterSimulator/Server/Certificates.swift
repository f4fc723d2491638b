internal import SimulatorCrypto

/// A certificate and its key, PEM.
public struct Identity: Sendable {
    /// PEM.
    public var certificate: String
    /// PEM.
    public var key: String

    init(_ identity: inout sim_identity) {
        certificate = withUnsafePointer(to: &identity.certificate_pem) {
            $0.withMemoryRebound(to: CChar.self, capacity: 4096) { String(cString: $0) }
        }
        key = withUnsafePointer(to: &identity.key_pem) {
            $0.withMemoryRebound(to: CChar.self, capacity: 1024) { String(cString: $0) }
        }
    }
}

/// A certificate authority that lives as long as a simulated cluster.
public struct CertificateAuthority: Sendable {
    /// libcrypto would not make a certificate.
    public struct Failed: Error {}

    // SAFETY: written in init only, plain bytes.
    nonisolated(unsafe) private var authority = sim_identity()

    /// Makes an authority with a new key.
    public init(commonName: String = "plimsoll-sim-ca") throws {
        guard sim_authority_create(commonName, &authority) else { throw Failed() }
    }

    /// PEM.
    public var certificate: String {
        var copy = authority
        return Identity(&copy).certificate
    }

    /// A certificate for a server on this machine.
    public func server(_ name: String = "kube-apiserver") throws -> Identity {
        try issue(name, nil, "DNS:localhost,IP:127.0.0.1,IP:::1", forServer: true)
    }

    /// A certificate for a user, who is its common name, and a group, which is its organization.
    public func user(_ name: String, group: String?) throws -> Identity {
        try issue(name, group, nil, forServer: false)
    }

    private func issue(
        _ name: String, _ organization: String?, _ alternativeNames: String?, forServer: Bool
    ) throws -> Identity {
        var identity = sim_identity()
        let done = withUnsafePointer(to: authority) { authority in
            sim_identity_issue(
                authority, name, organization, alternativeNames, forServer, &identity)
        }
        guard done else { throw Failed() }
        return Identity(&identity)
    }
}
