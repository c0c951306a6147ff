package spanproof;

import java.util.function.Consumer;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseResponse;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamResponseHandler;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelRequest;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelWithResponseStreamRequest;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelWithResponseStreamResponseHandler;

/**
 * The operations: buffered ones by the synchronous client, streams by the asynchronous one, which alone
 * has them. Region, keys, endpoint and retries come from the environment, as in any program.
 */
final class Calls implements AutoCloseable {
    private final BedrockRuntimeClient buffered;
    private final BedrockRuntimeAsyncClient streaming;

    Calls() {
        buffered = BedrockRuntimeClient.builder()
                .overrideConfiguration(configuration -> configuration.addExecutionInterceptor(new Tagging()))
                .build();
        streaming = BedrockRuntimeAsyncClient.builder()
                .overrideConfiguration(configuration -> configuration.addExecutionInterceptor(new Tagging()))
                .build();
    }

    void make(Call call, Outcome outcome) {
        switch (call.operation()) {
            case "Converse" -> converse(call, outcome);
            case "ConverseStream" -> converseStream(call, outcome);
            case "InvokeModel" -> invokeModel(call, outcome);
            case "InvokeModelWithResponseStream" -> invokeModelWithResponseStream(call, outcome);
            default -> throw new IllegalArgumentException("no operation is named " + call.operation());
        }
    }

    private void converse(Call call, Outcome outcome) {
        ConverseRequest.Builder request = ConverseRequest.builder().modelId(call.modelId());
        Json.fill((SdkPojo) request, call.request());
        ConverseResponse response =
                buffered.converse(request.overrideConfiguration(headers(call)).build());
        outcome.usage = Usage.of(response.usage());
        outcome.stopReason = response.stopReasonAsString();
    }

    private void converseStream(Call call, Outcome outcome) {
        ConverseStreamRequest.Builder request = ConverseStreamRequest.builder().modelId(call.modelId());
        Json.fill((SdkPojo) request, call.request());
        var visitor = ConverseStreamResponseHandler.Visitor.builder()
                .onMessageStart(event -> {
                    // The SDK tries some broken streams again, and the events of each attempt come.
                    outcome.usage = null;
                    outcome.stopReason = null;
                    outcome.chunkArrived();
                })
                .onMessageStop(event -> outcome.stopReason = event.stopReasonAsString())
                .onMetadata(event -> outcome.usage = Usage.of(event.usage()))
                .build();
        var handler = ConverseStreamResponseHandler.builder().subscriber(visitor).build();
        streaming.converseStream(request.overrideConfiguration(headers(call)).build(), handler).join();
        checkEnd(outcome);
    }

    private void invokeModel(Call call, Outcome outcome) {
        InvokeModelRequest request = InvokeModelRequest.builder()
                .modelId(call.modelId())
                .contentType("application/json")
                .body(SdkBytes.fromByteArray(Json.bytes(call.request())))
                .overrideConfiguration(headers(call))
                .build();
        NativeBody.read(buffered.invokeModel(request).body(), outcome);
    }

    private void invokeModelWithResponseStream(Call call, Outcome outcome) {
        InvokeModelWithResponseStreamRequest request = InvokeModelWithResponseStreamRequest.builder()
                .modelId(call.modelId())
                .contentType("application/json")
                .body(SdkBytes.fromByteArray(Json.bytes(call.request())))
                .overrideConfiguration(headers(call))
                .build();
        var visitor = InvokeModelWithResponseStreamResponseHandler.Visitor.builder()
                .onChunk(chunk -> {
                    outcome.chunkArrived();
                    NativeBody.readChunk(chunk.bytes(), outcome);
                })
                .build();
        var handler =
                InvokeModelWithResponseStreamResponseHandler.builder().subscriber(visitor).build();
        streaming.invokeModelWithResponseStream(request, handler).join();
        checkEnd(outcome);
    }

    /** A stream that ended before its answer did. */
    static final class IncompleteStreamException extends RuntimeException {
        private static final long serialVersionUID = 1;

        IncompleteStreamException() {
            super("the stream ended without a stop reason");
        }
    }

    /** The SDK takes a cut connection for the end of the stream. */
    private static void checkEnd(Outcome outcome) {
        if (outcome.stopReason == null) {
            throw new IncompleteStreamException();
        }
    }

    private static Consumer<AwsRequestOverrideConfiguration.Builder> headers(Call call) {
        return configuration -> call.headers().forEach(configuration::putHeader);
    }

    @Override
    public void close() {
        buffered.close();
        streaming.close();
    }
}
