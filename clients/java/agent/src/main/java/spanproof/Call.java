package spanproof;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;

/** One call of the plan. */
record Call(long number, String operation, String modelId, JsonNode request, Map<String, String> headers) {
    private static final JsonNode NONE = JsonNode.parser().parse("[]");

    static Call parse(String line) {
        Map<String, JsonNode> members = JsonNode.parser().parse(line).asObject();
        Map<String, String> headers = new LinkedHashMap<>();
        for (JsonNode header : members.getOrDefault("headers", NONE).asArray()) {
            List<JsonNode> pair = header.asArray();
            headers.put(pair.get(0).asString(), pair.get(1).asString());
        }
        return new Call(
                Long.parseLong(members.get("call").asNumber()),
                members.get("operation").asString(),
                members.get("model_id").asString(),
                members.get("request"),
                headers);
    }
}
