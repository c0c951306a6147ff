package spanproof;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;

/** Which protocol the default clients begin with over {@code http://}. */
final class Transport {
    private static final ConverseRequest REQUEST = ConverseRequest.builder()
            .modelId(Fidelity.CLAUDE)
            .messages(Fidelity.user(Fidelity.QUESTION))
            .build();

    /** Calls the endpoint in vain. */
    private interface Attempt {
        void at(URI endpoint) throws Exception;
    }

    private Transport() {}

    static void checkSync() {
        check("POST", endpoint -> {
            try (BedrockRuntimeClient client = BedrockRuntimeClient.builder().endpointOverride(endpoint).build()) {
                client.converse(REQUEST);
            }
        });
    }

    static void checkAsync() {
        // HTTP/2 with prior knowledge, as the SDK for JavaScript.
        check("PRI ", endpoint -> {
            try (BedrockRuntimeAsyncClient client =
                    BedrockRuntimeAsyncClient.builder().endpointOverride(endpoint).build()) {
                client.converse(REQUEST).join();
            }
        });
    }

    private static void check(String expected, Attempt attempt) {
        Report.check(1, "the first bytes of the default client", evidence -> {
            try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
                CompletableFuture<String> seen = CompletableFuture.supplyAsync(() -> firstBytes(server));
                URI endpoint = URI.create("http://127.0.0.1:" + server.getLocalPort());
                CompletableFuture<Void> called = CompletableFuture.runAsync(() -> {
                    try {
                        attempt.at(endpoint);
                    } catch (Exception refused) {
                        // The listener answers nothing: that the call fails is no finding.
                    }
                });
                evidence.detail = seen.join();
                server.close();
                called.join();
                Report.ensure(evidence.detail.equals(expected), "it sends %s", evidence.detail);
            }
        });
    }

    private static String firstBytes(ServerSocket server) {
        try (Socket client = server.accept()) {
            return new String(client.getInputStream().readNBytes(4), StandardCharsets.US_ASCII);
        } catch (IOException error) {
            return error.toString();
        }
    }
}
