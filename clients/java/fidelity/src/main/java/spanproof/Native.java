package spanproof;

import java.util.Optional;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;

/** The native bodies of the families that are asked here. */
final class Native {
    private Native() {}

    static SdkBytes request(String model) {
        String body = switch (model) {
            case Fidelity.NOVA -> """
                    {"messages":[{"role":"user","content":[{"text":"%s"}]}],"inferenceConfig":{"maxTokens":200}}""";
            case Fidelity.TITAN_EMBED -> """
                    {"inputText":"%s"}""";
            default -> """
                    {"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"%s"}]}""";
        };
        return SdkBytes.fromUtf8String(body.formatted(Fidelity.QUESTION));
    }

    static JsonNode parse(SdkBytes bytes) {
        return JsonNode.parser().parse(bytes.asInputStream());
    }

    static Report.Usage usage(JsonNode body) {
        if (body.field("inputTextTokenCount").isPresent()) {
            return new Report.Usage(count(body, "inputTextTokenCount"), 0, 0, 0);
        }
        JsonNode usage = body.field("usage").orElseThrow();
        if (usage.field("input_tokens").isPresent()) {
            return new Report.Usage(count(usage, "input_tokens"), count(usage, "output_tokens"),
                    count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens"));
        }
        return new Report.Usage(count(usage, "inputTokens"), count(usage, "outputTokens"),
                count(usage, "cacheReadInputTokenCount"), count(usage, "cacheWriteInputTokenCount"));
    }

    static String stopReason(JsonNode body) {
        return text(body, "stop_reason").or(() -> text(body, "stopReason")).orElse(null);
    }

    /** The stop reason that a chunk of a stream states. */
    static Optional<String> chunkStopReason(JsonNode chunk) {
        return chunk.field("delta").flatMap(delta -> text(delta, "stop_reason"))
                .or(() -> chunk.field("messageStop").flatMap(stop -> text(stop, "stopReason")));
    }

    static long count(JsonNode object, String member) {
        return object.field(member).map(number -> Long.parseLong(number.asNumber())).orElse(0L);
    }

    private static Optional<String> text(JsonNode object, String member) {
        return object.isObject() ? object.field(member).filter(JsonNode::isString).map(JsonNode::asString) : Optional.empty();
    }
}
