package spanproof;

import static spanproof.Report.check;
import static spanproof.Report.ensure;

import java.util.List;
import software.amazon.awssdk.auth.token.credentials.StaticTokenProvider;
import software.amazon.awssdk.http.auth.spi.scheme.AuthSchemeOption;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeBaseClientBuilder;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.BedrockRuntimeException;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseResponse;
import spanproof.Report.Call;
import spanproof.Report.Usage;

/** API keys in place of signatures. */
final class BearerChecks {
    private static final ConverseRequest REQUEST = ConverseRequest.builder()
            .modelId(Fidelity.CLAUDE)
            .messages(Fidelity.user(Fidelity.QUESTION))
            .build();

    /** Calls with a key. */
    private interface Attempt {
        ConverseResponse with(String key);
    }

    private BearerChecks() {}

    static void runSync() {
        run(key -> {
            try (BedrockRuntimeClient client = keyed(BedrockRuntimeClient.builder(), key).build()) {
                return client.converse(REQUEST);
            }
        });
    }

    static void runAsync() {
        run(key -> {
            try (BedrockRuntimeAsyncClient client = keyed(BedrockRuntimeAsyncClient.builder(), key).build()) {
                return client.converse(REQUEST).join();
            }
        });
    }

    private static void run(Attempt attempt) {
        check(20, "a bearer key in place of SigV4", evidence -> {
            ConverseResponse answer = attempt.with(System.getenv("SPANPROOF_BEARER_KEY"));
            evidence.call(new Call(Fidelity.CLAUDE, answer.responseMetadata().requestId(),
                    Usage.of(answer.usage()), answer.stopReasonAsString()));
        });
        check(20, "a bad bearer key", evidence -> {
            try {
                throw new AssertionError("no exception but " + attempt.with("bedrock-api-key-nonsense"));
            } catch (RuntimeException error) {
                evidence.detail = Report.said(Report.cause(error));
                ensure(Report.cause(error) instanceof BedrockRuntimeException refused && refused.statusCode() == 403,
                        "%s", evidence.detail);
            }
        });
    }

    private static <B extends BedrockRuntimeBaseClientBuilder<B, C>, C> B keyed(B builder, String key) {
        return builder.tokenProvider(StaticTokenProvider.create(() -> key))
                .authSchemeProvider(parameters ->
                        List.of(AuthSchemeOption.builder().schemeId("smithy.api#httpBearerAuth").build()));
    }
}
