package spanproof;

import java.util.Map;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.protocols.jsoncore.JsonWriter;
import software.amazon.awssdk.services.bedrockruntime.model.TokenUsage;

/** Token usage in the ledger's words: {@code input} leaves cached tokens out. */
record Usage(long input, long output, long cacheRead, long cacheWrite) {
    static Usage of(TokenUsage told) {
        return told == null
                ? null
                : new Usage(
                        orZero(told.inputTokens()),
                        orZero(told.outputTokens()),
                        orZero(told.cacheReadInputTokens()),
                        orZero(told.cacheWriteInputTokens()));
    }

    /** What native bodies of Claude have. */
    static Usage ofClaude(JsonNode told) {
        Map<String, JsonNode> counts = told.asObject();
        return new Usage(
                count(counts, "input_tokens"),
                count(counts, "output_tokens"),
                count(counts, "cache_read_input_tokens"),
                count(counts, "cache_creation_input_tokens"));
    }

    /** What native bodies of Nova have, which name the cached counts as Converse does not. */
    static Usage ofNova(JsonNode told) {
        Map<String, JsonNode> counts = told.asObject();
        return new Usage(
                count(counts, "inputTokens"),
                count(counts, "outputTokens"),
                count(counts, "cacheReadInputTokenCount"),
                count(counts, "cacheWriteInputTokenCount"));
    }

    Usage withOutput(long output) {
        return new Usage(input, output, cacheRead, cacheWrite);
    }

    void write(JsonWriter line) {
        line.writeStartObject();
        line.writeFieldName("input_tokens").writeValue(input);
        line.writeFieldName("output_tokens").writeValue(output);
        line.writeFieldName("cache_read_input_tokens").writeValue(cacheRead);
        line.writeFieldName("cache_write_input_tokens").writeValue(cacheWrite);
        line.writeEndObject();
    }

    private static long orZero(Integer count) {
        return count == null ? 0 : count;
    }

    private static long count(Map<String, JsonNode> counts, String name) {
        JsonNode count = counts.get(name);
        return count == null || !count.isNumber() ? 0 : Long.parseLong(count.asNumber());
    }
}
