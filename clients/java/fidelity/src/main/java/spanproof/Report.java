package spanproof;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.protocols.jsoncore.JsonWriter;
import software.amazon.awssdk.services.bedrockruntime.model.TokenUsage;

/** One line per check on standard output, for the ledger to be compared with. */
final class Report {
    /** A check: adds its evidence, and throws when something is not as it must be. */
    interface Check {
        void run(Evidence evidence) throws Exception;
    }

    /** Tokens in the ledger's words: input leaves cached tokens out. */
    record Usage(long input, long output, long cacheRead, long cacheWrite) {
        static Usage of(TokenUsage usage) {
            return new Usage(usage.inputTokens(), usage.outputTokens(),
                    orZero(usage.cacheReadInputTokens()), orZero(usage.cacheWriteInputTokens()));
        }

        private static long orZero(Integer count) {
            return count == null ? 0 : count;
        }
    }

    /** What the SDK parsed of one complete answer; the ledger must say the same. */
    record Call(String modelId, String requestId, Usage usage, String stopReason) {}

    /** What a check hands over. */
    static final class Evidence {
        final List<Call> calls = new ArrayList<>();
        final Map<String, Integer> attempts = new LinkedHashMap<>();
        /** Request ids that the ledger must have. */
        final List<String> exchanges = new ArrayList<>();
        String detail = "";

        void call(Call call) {
            calls.add(call);
        }

        /** The call whose last answer had this request id must have been tried so often. */
        void attempts(String requestId, int count) {
            attempts.put(requestId, count);
        }
    }

    private Report() {}

    static void check(int test, String name, Check check) {
        Evidence evidence = new Evidence();
        boolean passed = true;
        try {
            check.run(evidence);
        } catch (Exception | AssertionError error) {
            passed = false;
            evidence.detail = said(cause(error));
        }
        String line = line(test, name, passed, evidence);
        synchronized (System.out) {
            System.out.println(line);
        }
    }

    /** Runs checks side by side: retries wait, and waiting costs nothing. */
    static void concurrently(List<Runnable> checks) throws InterruptedException {
        List<Thread> threads = checks.stream().map(Thread::new).toList();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
    }

    static void ensure(boolean holds, String otherwise, Object... arguments) {
        if (!holds) {
            throw new AssertionError(otherwise.formatted(arguments));
        }
    }

    /** The error itself, out of what a future wraps it in. */
    static Throwable cause(Throwable error) {
        return error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    }

    static String said(Throwable error) {
        return error.getClass().getName() + ": " + error.getMessage();
    }

    private static String line(int test, String name, boolean passed, Evidence evidence) {
        JsonWriter json = JsonWriter.create();
        json.writeStartObject();
        json.writeFieldName("test").writeValue(test);
        json.writeFieldName("name").writeValue(name);
        json.writeFieldName("passed").writeValue(passed);
        json.writeFieldName("detail").writeValue(evidence.detail);
        json.writeFieldName("calls").writeStartArray();
        evidence.calls.forEach(call -> write(json, call));
        json.writeEndArray();
        json.writeFieldName("attempts").writeStartArray();
        evidence.attempts.forEach((id, count) -> {
            json.writeStartObject();
            json.writeFieldName("request_id").writeValue(id);
            json.writeFieldName("attempts").writeValue(count);
            json.writeEndObject();
        });
        json.writeEndArray();
        json.writeFieldName("exchanges").writeStartArray();
        evidence.exchanges.forEach(json::writeValue);
        json.writeEndArray().writeEndObject();
        return new String(json.getBytes(), java.nio.charset.StandardCharsets.UTF_8);
    }

    private static void write(JsonWriter json, Call call) {
        json.writeStartObject();
        json.writeFieldName("model_id").writeValue(call.modelId);
        json.writeFieldName("request_id").writeValue(call.requestId);
        if (call.usage != null) {
            json.writeFieldName("usage").writeStartObject();
            json.writeFieldName("input_tokens").writeValue(call.usage.input);
            json.writeFieldName("output_tokens").writeValue(call.usage.output);
            json.writeFieldName("cache_read_input_tokens").writeValue(call.usage.cacheRead);
            json.writeFieldName("cache_write_input_tokens").writeValue(call.usage.cacheWrite);
            json.writeEndObject();
        }
        if (call.stopReason != null) {
            json.writeFieldName("stop_reason").writeValue(call.stopReason);
        }
        json.writeEndObject();
    }
}
