package spanproof;

import java.time.Instant;
import software.amazon.awssdk.protocols.jsoncore.JsonWriter;

/** What the application saw of a call, filled in as it goes. */
final class Outcome {
    private final long started = now();
    private Long firstChunk;
    private long finished;
    String error;
    Usage usage;
    String stopReason;

    /** Notes the time of the first chunk; later ones change nothing. */
    void chunkArrived() {
        if (firstChunk == null) {
            firstChunk = now();
        }
    }

    void finish() {
        finished = now();
    }

    void write(JsonWriter line) {
        line.writeFieldName("started_unix_nanos").writeValue(started);
        if (firstChunk != null) {
            line.writeFieldName("first_chunk_unix_nanos").writeValue(firstChunk);
        }
        line.writeFieldName("finished_unix_nanos").writeValue(finished);
        if (error != null) {
            line.writeFieldName("error").writeValue(error);
        }
        if (usage != null) {
            line.writeFieldName("usage");
            usage.write(line);
        }
        if (stopReason != null) {
            line.writeFieldName("stop_reason").writeValue(stopReason);
        }
    }

    private static long now() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
}
