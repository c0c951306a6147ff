package spanproof;

import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;

/** What the native bodies of Claude messages, Nova and Titan embeddings say of themselves. */
final class NativeBody {
    private NativeBody() {}

    /** Reads the body of InvokeModel. */
    static void read(SdkBytes body, Outcome outcome) {
        JsonNode fields = JsonNode.parser().parse(body.asUtf8String());
        Optional<JsonNode> titan = fields.field("inputTextTokenCount");
        if (titan.isPresent()) {
            outcome.usage = new Usage(Long.parseLong(titan.get().asNumber()), 0, 0, 0);
            return;
        }
        fields.field("usage").ifPresent(usage -> {
            boolean isClaude = usage.field("input_tokens").isPresent();
            outcome.usage = isClaude ? Usage.ofClaude(usage) : Usage.ofNova(usage);
            outcome.stopReason = text(fields, isClaude ? "stop_reason" : "stopReason");
        });
    }

    /** Reads one chunk of InvokeModelWithResponseStream. */
    static void readChunk(SdkBytes chunk, Outcome outcome) {
        JsonNode fields = JsonNode.parser().parse(chunk.asUtf8String());
        Map<String, JsonNode> members = fields.asObject();
        String type = text(fields, "type");
        if ("message_start".equals(type)) {
            outcome.usage = Usage.ofClaude(members.get("message").asObject().get("usage"));
        } else if ("message_delta".equals(type)) {
            outcome.stopReason = text(members.get("delta"), "stop_reason");
            fields.field("usage").flatMap(usage -> usage.field("output_tokens")).ifPresent(output -> {
                if (outcome.usage != null) {
                    outcome.usage = outcome.usage.withOutput(Long.parseLong(output.asNumber()));
                }
            });
        } else if (members.containsKey("messageStop")) {
            outcome.stopReason = text(members.get("messageStop"), "stopReason");
        } else if (members.containsKey("metadata")) {
            members.get("metadata").field("usage").ifPresent(usage -> outcome.usage = Usage.ofNova(usage));
        }
    }

    private static String text(JsonNode object, String name) {
        return object.field(name).filter(JsonNode::isString).map(JsonNode::asString).orElse(null);
    }
}
