import NIOCore
import NIOPosix

/// Where a running simulation takes commands: a Unix socket beside its kubeconfig. Who may open the
/// file may command.
public enum ControlSocket {
    /// A command failed, or nobody listens.
    public struct Failed: Error, CustomStringConvertible {
        /// One line.
        public var description: String
    }

    /// Listens until the process ends.
    public static func listen(_ path: String, _ command: ControlCommand) async throws {
        _ = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(command))
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    }

    /// Sends a command to the simulation that listens there. Returns its lines.
    public static func send(_ words: [String], to path: String) async throws -> [String] {
        let lines: [String]
        do {
            lines = try await exchange(words, path)
        } catch {
            throw Failed(
                description: "no simulation answers at \(path); start one with `plimsoll sim`, or "
                    + "name its kubeconfig with --kubeconfig")
        }
        guard let verdict = lines.first, verdict == "ok" else {
            throw Failed(description: lines.dropFirst().first ?? "no answer")
        }
        return Array(lines.dropFirst())
    }

    private static func exchange(_ words: [String], _ path: String) async throws -> [String] {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let line = words.joined(separator: "\u{1f}") + "\n"
            try await outbound.write(ByteBuffer(string: line))
            var answer = ByteBuffer()
            for try await part in inbound {
                var part = part
                answer.writeBuffer(&part)
            }
            return String(buffer: answer).split(separator: "\n").map(String.init)
        }
    }

    /// Words come separated by U+001F and end with a line break; the answer is "ok" or "error" and
    /// lines, then the connection closes.
    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let command: ControlCommand
        private var line = ""

        init(_ command: ControlCommand) { self.command = command }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            line += String(buffer: unwrapInboundIn(data))
            guard line.hasSuffix("\n"), line.utf8.count < 65536 else { return }
            let words = line.dropLast().split(separator: "\u{1f}").map(String.init)
            var answer: String
            do {
                answer = (["ok"] + (try command.run(words))).joined(separator: "\n")
            } catch {
                answer = "error\n" + error.message
            }
            answer += "\n"
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)))
                .assumeIsolated().whenComplete { _ in bound.value.close(promise: nil) }
        }
    }
}
