package spanproof;

import static spanproof.Fidelity.CLAUDE;
import static spanproof.Fidelity.CLAUDE_CACHED;
import static spanproof.Fidelity.NOVA;
import static spanproof.Report.check;
import static spanproof.Report.ensure;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.model.Tool;
import software.amazon.awssdk.services.bedrockruntime.model.ToolConfiguration;
import software.amazon.awssdk.services.bedrockruntime.model.ToolInputSchema;

/** Streams that end well. */
final class StreamChecks {
    private final BedrockRuntimeAsyncClient bedrock;

    StreamChecks(BedrockRuntimeAsyncClient bedrock) {
        this.bedrock = bedrock;
    }

    void run() {
        reasoning();
        Set<String> known = new HashSet<>();
        for (String model : List.of(CLAUDE, NOVA)) {
            check(2, "text begins without contentBlockStart, " + model, evidence -> {
                Told told = Told.converse(bedrock, model, request -> {});
                evidence.call(told.call());
                String order = String.join(" ", told.order);
                ensure(order.matches("messageStart (contentBlockDelta )+contentBlockStop messageStop metadata"),
                        "the events are %s", order);
            });
            check(3, "flat events, " + model, evidence -> {
                Told told = Told.converse(bedrock, model, request -> {});
                evidence.call(told.call());
                ensure(!told.text.isEmpty() && told.usage.output() > 0, "%s, %s", told.text, told.usage);
            });
            check(4, "chunks of " + model, evidence -> evidence.call(Told.invoke(bedrock, model, "").call()));
            check(15, "no token headers on streams of " + model, evidence -> {
                Told told = Told.converse(bedrock, model, request -> {});
                Told chunks = Told.invoke(bedrock, model, "");
                evidence.call(told.call());
                evidence.call(chunks.call());
                ensure(told.headers.isEmpty() && chunks.headers.isEmpty(), "%s %s", told.headers, chunks.headers);
            });
            check(16, "the last chunk of " + model, evidence -> {
                Told told = Told.invoke(bedrock, model, "");
                evidence.call(told.call());
                JsonNode metrics = told.last.field("amazon-bedrock-invocationMetrics").orElseThrow();
                ensure(Native.count(metrics, "firstByteLatency") <= Native.count(metrics, "invocationLatency"),
                        "%s", metrics);
            });
            check(17, "a streamed tool use of " + model, evidence -> {
                Told told = Told.converse(bedrock, model, request -> request.toolConfig(tools()));
                evidence.call(told.call());
                String id = told.tool.toolUseId();
                ensure(told.tool.name().equals("get_weather"), "%s", told.tool);
                ensure(id.matches("[a-zA-Z0-9_.:-]{1,64}") && known.add(id), "the id is %s", id);
                ensure(JsonNode.parser().parse(told.input).field("city").isPresent(), "the input is %s", told.input);
                ensure(told.stopReason.equals("tool_use"), "stops with %s", told.stopReason);
            });
        }
    }

    private void reasoning() {
        check(18, "text of thoughts, then their signature, then the answer", evidence -> {
            Told told = Told.converse(bedrock, CLAUDE_CACHED, request -> request
                    .additionalModelRequestFields(Fidelity.THINKING)
                    .inferenceConfig(c -> c.maxTokens(2000)));
            evidence.call(told.call());
            ensure(told.thoughts.equals(List.of("TEXT", "SIGNATURE")) && !told.text.isEmpty(), "%s", told.thoughts);
        });
        check(18, "redacted content is a blob", evidence -> {
            Told told = Told.converse(bedrock, CLAUDE_CACHED, request -> request
                    .messages(Fidelity.user(Fidelity.REDACTED))
                    .additionalModelRequestFields(Fidelity.THINKING)
                    .inferenceConfig(c -> c.maxTokens(2000)));
            evidence.call(told.call());
            ensure(told.thoughts.equals(List.of("REDACTED_CONTENT")) && !told.text.isEmpty(), "%s", told.thoughts);
        });
    }

    private static ToolConfiguration tools() {
        Document schema = Document.mapBuilder()
                .putString("type", "object")
                .putMap("properties", members -> members.putMap("city", city -> city.putString("type", "string")))
                .putList("required", List.of(Document.fromString("city")))
                .build();
        return ToolConfiguration.builder()
                .toolChoice(choice -> choice.any(any -> {}))
                .tools(Tool.fromToolSpec(
                        tool -> tool.name("get_weather").inputSchema(ToolInputSchema.fromJson(schema))))
                .build();
    }
}
