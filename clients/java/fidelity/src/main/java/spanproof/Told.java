package spanproof;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import software.amazon.awssdk.awscore.AwsResponse;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.model.ContentBlockDelta;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamResponseHandler;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelWithResponseStreamResponseHandler;
import software.amazon.awssdk.services.bedrockruntime.model.ReasoningContentBlockDelta;
import software.amazon.awssdk.services.bedrockruntime.model.ToolUseBlockStart;
import spanproof.Report.Usage;

/** What a stream said, up to its end or its failure. */
final class Told {
    final List<String> order = new ArrayList<>();
    List<String> headers = List.of();
    String text = "";
    String input = "";
    ToolUseBlockStart tool;
    /** The kinds of the deltas of reasoning, those of one kind after another once. */
    final List<String> thoughts = new ArrayList<>();
    String stopReason;
    Usage usage;
    JsonNode last;
    /** Why the stream failed; null when it did not. */
    Throwable failure;

    private final String model;
    private String requestId;

    private Told(String model) {
        this.model = model;
    }

    /** A ConverseStream that must not fail. */
    static Told converse(BedrockRuntimeAsyncClient bedrock, String model, Consumer<ConverseStreamRequest.Builder> change) {
        return tryConverse(bedrock, model, change).orThrow();
    }

    static Told tryConverse(
            BedrockRuntimeAsyncClient bedrock, String model, Consumer<ConverseStreamRequest.Builder> change) {
        Told told = new Told(model);
        ConverseStreamResponseHandler.Visitor visitor = ConverseStreamResponseHandler.Visitor.builder()
                .onMessageStart(event -> told.order.add("messageStart"))
                .onContentBlockStart(event -> {
                    told.order.add("contentBlockStart");
                    told.tool = event.start().toolUse();
                })
                .onContentBlockDelta(event -> {
                    told.order.add("contentBlockDelta");
                    ContentBlockDelta delta = event.delta();
                    if (delta.text() != null) {
                        told.text += delta.text();
                    }
                    if (delta.reasoningContent() != null) {
                        told.think(delta.reasoningContent());
                    }
                    if (delta.toolUse() != null) {
                        told.input += delta.toolUse().input();
                    }
                })
                .onContentBlockStop(event -> told.order.add("contentBlockStop"))
                .onMessageStop(event -> {
                    told.order.add("messageStop");
                    told.stopReason = event.stopReasonAsString();
                })
                .onMetadata(event -> {
                    told.order.add("metadata");
                    told.usage = Usage.of(event.usage());
                })
                .onDefault(event -> told.order.add("unknown"))
                .build();
        ConverseStreamResponseHandler handler = ConverseStreamResponseHandler.builder()
                .onResponse(told::head)
                .subscriber(visitor)
                .build();
        told.await(bedrock.converseStream(request -> {
            request.modelId(model).messages(Fidelity.user(Fidelity.QUESTION)).inferenceConfig(c -> c.maxTokens(200));
            change.accept(request);
        }, handler));
        return told;
    }

    /** A native stream that must not fail, unless a fault is named. */
    static Told invoke(BedrockRuntimeAsyncClient bedrock, String model, String fault) {
        Told told = new Told(model);
        InvokeModelWithResponseStreamResponseHandler.Visitor visitor =
                InvokeModelWithResponseStreamResponseHandler.Visitor.builder()
                        .onChunk(chunk -> {
                            told.order.add("chunk");
                            told.last = Native.parse(chunk.bytes());
                            Native.chunkStopReason(told.last).ifPresent(reason -> told.stopReason = reason);
                        })
                        .onDefault(event -> told.order.add("unknown"))
                        .build();
        InvokeModelWithResponseStreamResponseHandler handler = InvokeModelWithResponseStreamResponseHandler.builder()
                .onResponse(told::head)
                .subscriber(visitor)
                .build();
        told.await(bedrock.invokeModelWithResponseStream(request -> {
            request.modelId(model).body(Native.request(model));
            if (!fault.isEmpty()) {
                request.overrideConfiguration(Fidelity.fault(fault));
            }
        }, handler));
        if (told.last != null) {
            told.last.field("amazon-bedrock-invocationMetrics").ifPresent(metrics -> told.usage = new Usage(
                    Native.count(metrics, "inputTokenCount"), Native.count(metrics, "outputTokenCount"),
                    Native.count(metrics, "cacheReadInputTokenCount"),
                    Native.count(metrics, "cacheWriteInputTokenCount")));
        }
        return fault.isEmpty() ? told.orThrow() : told;
    }

    Report.Call call() {
        return new Report.Call(model, requestId, usage, stopReason);
    }

    private void think(ReasoningContentBlockDelta delta) {
        String kind = delta.type().toString();
        if (thoughts.isEmpty() || !thoughts.get(thoughts.size() - 1).equals(kind)) {
            thoughts.add(kind);
        }
    }

    private void head(AwsResponse response) {
        requestId = response.sdkHttpResponse().firstMatchingHeader("x-amzn-RequestId").orElse("");
        headers = AnswerChecks.bedrockHeaders(response.sdkHttpResponse());
    }

    private void await(java.util.concurrent.CompletableFuture<Void> ended) {
        try {
            ended.join();
        } catch (RuntimeException error) {
            failure = Report.cause(error);
        }
    }

    private Told orThrow() {
        if (failure != null) {
            throw new AssertionError(Report.said(failure), failure);
        }
        return this;
    }
}
