package spanproof;

import static spanproof.Fidelity.CLAUDE;
import static spanproof.Fidelity.CLAUDE_CACHED;
import static spanproof.Fidelity.NOVA;
import static spanproof.Fidelity.PROFILE;
import static spanproof.Fidelity.QUESTION;
import static spanproof.Fidelity.TITAN_EMBED;
import static spanproof.Report.check;
import static spanproof.Report.ensure;

import java.util.List;
import java.util.function.Consumer;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.bedrockruntime.model.CachePointType;
import software.amazon.awssdk.services.bedrockruntime.model.ContentBlock;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseResponse;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelResponse;
import software.amazon.awssdk.services.bedrockruntime.model.ReasoningTextBlock;
import software.amazon.awssdk.services.bedrockruntime.model.StopReason;
import software.amazon.awssdk.services.bedrockruntime.model.SystemContentBlock;
import spanproof.Report.Call;
import spanproof.Report.Evidence;
import spanproof.Report.Usage;

/** Whole answers. */
final class AnswerChecks {
    /** Long enough for a cache point to count on the model that caches. */
    private static final String LONG_PROMPT =
            "The style guide asks for short sentences and plain words. ".repeat(400);

    private final Caller bedrock;

    AnswerChecks(Caller bedrock) {
        this.bedrock = bedrock;
    }

    void run() {
        for (String model : List.of(CLAUDE, NOVA)) {
            check(1, "Converse of " + model, evidence -> {
                ConverseResponse answer = converse(evidence, model, request -> {});
                ensure(!answer.output().message().content().get(0).text().isEmpty(), "no text in %s", answer);
            });
            check(14, "maxTokens of " + model, evidence -> {
                ConverseResponse answer =
                        converse(evidence, model, request -> request.inferenceConfig(c -> c.maxTokens(5)));
                ensure(answer.usage().outputTokens() <= 5 && answer.stopReason() == StopReason.MAX_TOKENS,
                        "%s and %s", answer.usage(), answer.stopReason());
            });
        }
        for (String model : List.of("us." + NOVA, CLAUDE_CACHED, PROFILE)) {
            check(12, "Converse of " + model, evidence -> converse(evidence, model, request -> {}));
        }
        check(15, "no token headers on Converse", evidence -> {
            ConverseResponse answer = converse(evidence, CLAUDE, request -> {});
            List<String> names = bedrockHeaders(answer.sdkHttpResponse());
            ensure(names.isEmpty(), "there are %s", names);
        });
        for (String model : List.of(CLAUDE, NOVA, TITAN_EMBED)) {
            check(15, "token headers of " + model, evidence -> tokenHeaders(evidence, model));
        }
        check(18, "thoughts with their signature", evidence -> {
            ConverseResponse answer = converse(evidence, CLAUDE_CACHED, request -> request
                    .additionalModelRequestFields(Fidelity.THINKING)
                    .inferenceConfig(c -> c.maxTokens(2000)));
            List<ContentBlock> content = answer.output().message().content();
            ReasoningTextBlock thought = content.get(0).reasoningContent().reasoningText();
            ensure(!thought.text().isEmpty() && !thought.signature().isEmpty()
                    && !content.get(1).text().isEmpty(), "%s", content);
        });
        check(18, "redacted content", evidence -> {
            ConverseResponse answer = converse(evidence, CLAUDE_CACHED, request -> request
                    .messages(Fidelity.user(Fidelity.REDACTED))
                    .additionalModelRequestFields(Fidelity.THINKING)
                    .inferenceConfig(c -> c.maxTokens(2000)));
            List<ContentBlock> content = answer.output().message().content();
            ensure(content.get(0).reasoningContent().redactedContent().asByteArray().length > 0, "%s", content);
        });
        check(19, "Converse", this::guardedConverse);
        check(19, "InvokeModel, by names of its own", this::guardedInvoke);
        check(13, "a second cachePoint call reads what the first wrote", this::promptCache);
    }

    private ConverseResponse converse(Evidence evidence, String model, Consumer<ConverseRequest.Builder> change) {
        ConverseResponse answer = bedrock.converse(request -> {
            request.modelId(model).messages(Fidelity.user(QUESTION)).inferenceConfig(c -> c.maxTokens(200));
            change.accept(request);
        });
        evidence.call(new Call(model, answer.responseMetadata().requestId(), Usage.of(answer.usage()),
                answer.stopReasonAsString()));
        return answer;
    }

    private void tokenHeaders(Evidence evidence, String model) {
        InvokeModelResponse answer = bedrock.invokeModel(request -> request.modelId(model).body(Native.request(model)));
        JsonNode body = Native.parse(answer.body());
        Usage usage = Native.usage(body);
        evidence.call(new Call(model, answer.responseMetadata().requestId(), usage, Native.stopReason(body)));
        SdkHttpResponse http = answer.sdkHttpResponse();
        String output = model.equals(TITAN_EMBED) ? "" : String.valueOf(usage.output());
        ensure(http.firstMatchingHeader("X-Amzn-Bedrock-Input-Token-Count").orElse("")
                        .equals(String.valueOf(usage.input()))
                && http.firstMatchingHeader("X-Amzn-Bedrock-Output-Token-Count").orElse("").equals(output)
                && http.firstMatchingHeader("X-Amzn-Bedrock-Invocation-Latency").isPresent(),
                "%s for %s", http.headers(), usage);
    }

    private void guardedConverse(Evidence evidence) {
        ConverseResponse answer = converse(evidence, CLAUDE, request -> request
                .messages(Fidelity.user(Fidelity.BLOCKED))
                .guardrailConfig(guardrail -> guardrail
                        .guardrailIdentifier(Fidelity.GUARDRAIL)
                        .guardrailVersion("1")
                        .trace("enabled")));
        ensure(answer.stopReason() == StopReason.GUARDRAIL_INTERVENED, "%s", answer.stopReason());
        int units = answer.trace().guardrail().inputAssessment().get(Fidelity.GUARDRAIL)
                .invocationMetrics().usage().sensitiveInformationPolicyUnits();
        ensure(units == 1, "%d units", units);
    }

    private void guardedInvoke(Evidence evidence) {
        String blocked = Native.request(CLAUDE).asUtf8String().replace(QUESTION, Fidelity.BLOCKED);
        InvokeModelResponse answer = bedrock.invokeModel(request -> request
                .modelId(CLAUDE)
                .guardrailIdentifier(Fidelity.GUARDRAIL)
                .guardrailVersion("1")
                .trace("ENABLED")
                .body(SdkBytes.fromUtf8String(blocked)));
        evidence.exchanges.add(answer.responseMetadata().requestId());
        JsonNode body = Native.parse(answer.body());
        ensure(body.field("amazon-bedrock-guardrailAction").orElseThrow().asString().equals("INTERVENED"), "%s", body);
        ensure(body.field("amazon-bedrock-trace").flatMap(trace -> trace.field("guardrail"))
                .flatMap(guardrail -> guardrail.field("input")).isPresent(), "%s", body);
    }

    private void promptCache(Evidence evidence) {
        Consumer<ConverseRequest.Builder> cached = request -> request.system(
                SystemContentBlock.fromText(LONG_PROMPT),
                SystemContentBlock.fromCachePoint(point -> point.type(CachePointType.DEFAULT)));
        ConverseResponse first = converse(evidence, CLAUDE_CACHED, cached);
        ConverseResponse second = converse(evidence, CLAUDE_CACHED, cached);
        Usage written = Usage.of(first.usage());
        Usage read = Usage.of(second.usage());
        ensure(written.cacheWrite() > 0 && written.cacheRead() == 0, "first %s", written);
        ensure(read.cacheRead() == written.cacheWrite() && read.cacheWrite() == 0, "then %s", read);
        ensure(first.usage().totalTokens()
                        == written.input() + written.output() + written.cacheRead() + written.cacheWrite(),
                "the total of %s", first.usage());
    }

    /** The names of the answer's own headers beside its content type. */
    static List<String> bedrockHeaders(SdkHttpResponse response) {
        return response.headers().keySet().stream()
                .map(String::toLowerCase)
                .filter(name -> name.startsWith("x-amzn-bedrock-") && !name.equals("x-amzn-bedrock-content-type"))
                .toList();
    }
}
