/// Fowler, Noll and Vo's 64-bit hash, variant 1a: stable everywhere, no secret.
package struct FNV1a {
    package static let basis: UInt64 = 0xcbf2_9ce4_8422_2325

    package private(set) var value: UInt64

    /// - Parameter basis: Another makes another hash of the same.
    package init(_ basis: UInt64 = basis) { value = basis }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    /// A text, and that it ends there.
    package mutating func add(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        value = (value ^ 0xff) &* 0x100_0000_01b3
    }

    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = FNV1a()
        hash.add(bytes)
        return hash.value
    }
}
