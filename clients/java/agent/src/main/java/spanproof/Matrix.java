package spanproof;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamResponseHandler;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelRequest;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelWithResponseStreamRequest;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelWithResponseStreamResponseHandler;

/**
 * One cell of the matrix: a Bedrock operation in a situation, as an application would write it.
 *
 * <pre>java … spanproof.Matrix SITUATION OPERATION</pre>
 *
 * It knows nothing of spanproof but how to ask the mock for a fault. Telemetry comes from the agent; the
 * spans around the calls are the application's own.
 */
final class Matrix {
    private static final String MODEL = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    // Long enough for the prompt cache of the model, which begins at 1,024 tokens.
    private static final String BRIEFING =
            "You are a guide to rivers. Answer in one sentence and name no sources. ".repeat(120);
    private static final String WEATHER =
            "{'type': 'object', 'properties': {'city': {'type': 'string'}}, 'required': ['city']}";
    private static final Map<String, String> FAULTS =
            Map.of("error", "AccessDeniedException", "exception", "stream:throttlingException", "cut", "cut");
    private final String situation;
    private final Tracer tracer = GlobalOpenTelemetry.getTracer("application");
    private final BedrockRuntimeClient buffered = BedrockRuntimeClient.create();
    private final BedrockRuntimeAsyncClient streaming = BedrockRuntimeAsyncClient.create();
    /** Is done once the application has left its stream. */
    private final CompletableFuture<Void> left = new CompletableFuture<>();

    private Matrix(String situation) {
        this.situation = situation;
    }

    public static void main(String[] arguments) throws Exception {
        Matrix matrix = new Matrix(arguments[0]);
        Runnable call = matrix.operation(arguments[1]);
        if (matrix.situation.equals("interleaved")) {
            // Both are under way at once, each within its own caller's span.
            Thread[] callers = new Thread[2];
            for (int number = 0; number < callers.length; number++) {
                String name = "caller " + number;
                callers[number] = new Thread(() -> matrix.within(name, call));
                callers[number].start();
            }
            for (Thread caller : callers) {
                caller.join();
            }
        } else {
            for (int times = matrix.situation.equals("cached") ? 2 : 1; times > 0; times--) {
                matrix.within("caller", call);
            }
        }
        // An abandoned stream goes when nothing refers to it any more.
        System.gc();
        matrix.buffered.close();
        matrix.streaming.close();
    }

    private Runnable operation(String name) {
        return switch (name) {
            case "Converse" -> this::converse;
            case "ConverseStream" -> this::converseStream;
            case "InvokeModel" -> this::invokeModel;
            case "InvokeModelWithResponseStream" -> this::invokeModelWithResponseStream;
            default -> throw new IllegalArgumentException("no operation is named " + name);
        };
    }

    private void within(String name, Runnable call) {
        Span span = tracer.spanBuilder(name).startSpan();
        try (Scope scope = span.makeCurrent()) {
            call.run();
            tracer.spanBuilder("after the call").startSpan().end();
        } catch (RuntimeException failure) {
            if (!FAULTS.containsKey(situation)) {
                throw failure;
            }
        } finally {
            span.end();
        }
    }

    private void converse() {
        ConverseRequest.Builder request = ConverseRequest.builder().modelId(MODEL);
        Json.fill((SdkPojo) request, converseRequest());
        buffered.converse(request.overrideConfiguration(fault()).build());
    }

    private void converseStream() {
        ConverseStreamRequest.Builder request = ConverseStreamRequest.builder().modelId(MODEL);
        Json.fill((SdkPojo) request, converseRequest());
        var handler = ConverseStreamResponseHandler.builder().onEventStream(this::leave).build();
        await(streaming.converseStream(request.overrideConfiguration(fault()).build(), handler));
    }

    private void invokeModel() {
        InvokeModelRequest request = InvokeModelRequest.builder()
                .modelId(MODEL)
                .contentType("application/json")
                .body(SdkBytes.fromByteArray(Json.bytes(nativeRequest())))
                .overrideConfiguration(fault())
                .build();
        JsonNode.parser().parse(buffered.invokeModel(request).body().asUtf8String());
    }

    private void invokeModelWithResponseStream() {
        InvokeModelWithResponseStreamRequest request = InvokeModelWithResponseStreamRequest.builder()
                .modelId(MODEL)
                .contentType("application/json")
                .body(SdkBytes.fromByteArray(Json.bytes(nativeRequest())))
                .overrideConfiguration(fault())
                .build();
        var handler =
                InvokeModelWithResponseStreamResponseHandler.builder().onEventStream(this::leave).build();
        await(streaming.invokeModelWithResponseStream(request, handler));
    }

    /** Uses a stream as the situation has it. */
    private <E> void leave(Publisher<E> events) {
        if (situation.equals("never")) {
            left.complete(null);
        } else {
            events.subscribe(new Reader<>());
        }
    }

    /** Waits for the end of a stream, or until the application leaves it. */
    private void await(CompletableFuture<Void> end) {
        CompletableFuture.anyOf(end, left).join();
    }

    /** Reads to the end, or two events in the situations that ask for it. */
    private final class Reader<E> implements Subscriber<E> {
        private Subscription subscription;
        private int seen;

        @Override
        public void onSubscribe(Subscription subscription) {
            this.subscription = subscription;
            subscription.request(situation.equals("abandoned") ? 2 : Long.MAX_VALUE);
        }

        @Override
        public void onNext(E event) {
            seen++;
            if (seen == 2 && situation.equals("closed")) {
                subscription.cancel();
                left.complete(null);
            }
            if (seen == 2 && situation.equals("abandoned")) {
                left.complete(null);
            }
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onComplete() {}
    }

    private Consumer<AwsRequestOverrideConfiguration.Builder> fault() {
        String fault = FAULTS.get(situation);
        return configuration -> {
            if (fault != null) {
                configuration.putHeader("x-spanproof-fault", fault);
            }
        };
    }

    private JsonNode converseRequest() {
        String more = switch (situation) {
            case "tools" -> ", 'toolConfig': {'tools': [{'toolSpec': {'name': 'weather', 'description': "
                    + "'The weather.', 'inputSchema': {'json': " + WEATHER + "}}}], 'toolChoice': {'any': {}}}";
            case "cached" -> ", 'system': [{'text': '" + BRIEFING + "'}, {'cachePoint': {'type': 'default'}}]";
            default -> "";
        };
        return json("{'messages': [{'role': 'user', 'content': [{'text': 'Name three rivers in France.'}]}], "
                + "'inferenceConfig': {'maxTokens': 256, 'temperature': 0.5}" + more + "}");
    }

    private JsonNode nativeRequest() {
        String more = switch (situation) {
            case "tools" -> ", 'tools': [{'name': 'weather', 'description': 'The weather.', 'input_schema': "
                    + WEATHER + "}], 'tool_choice': {'type': 'any'}";
            case "cached" -> ", 'system': [{'type': 'text', 'text': '" + BRIEFING
                    + "', 'cache_control': {'type': 'ephemeral'}}]";
            default -> "";
        };
        return json("{'anthropic_version': 'bedrock-2023-05-31', 'max_tokens': 256, 'temperature': 0.5, "
                + "'messages': [{'role': 'user', 'content': 'Name three rivers in France.'}]" + more + "}");
    }

    private static JsonNode json(String text) {
        return JsonNode.parser().parse(text.replace('\'', '"'));
    }
}
