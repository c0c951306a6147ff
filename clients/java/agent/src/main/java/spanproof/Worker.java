package spanproof;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.protocols.jsoncore.JsonWriter;

/**
 * The AWS SDK for Java as a worker of spanproof; {@code clients/README.md} describes the protocol. The
 * telemetry is that of the agent that it runs under, which sends what is left when the program ends.
 */
final class Worker {
    /** Standard output, kept for the protocol alone. */
    private final PrintStream answers;

    private Worker(PrintStream answers) {
        this.answers = answers;
    }

    public static void main(String[] arguments) throws Exception {
        Worker worker = new Worker(System.out);
        // A stray line of anyone else goes to standard error.
        System.setOut(System.err);
        worker.serve();
    }

    private void serve() throws IOException, InterruptedException {
        int limit = concurrency();
        // Reading no further than the pool can take leaves waiting calls in the pipe, where the
        // generator sees the backlog.
        Semaphore room = new Semaphore(limit * 2);
        ExecutorService pool = Executors.newFixedThreadPool(limit);
        try (Calls calls = new Calls()) {
            sayReady();
            var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Call call = Call.parse(line);
                room.acquire();
                pool.execute(() -> {
                    try {
                        sayDone(call.number(), make(calls, call));
                    } finally {
                        room.release();
                    }
                });
            }
            pool.shutdown();
            pool.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
        }
    }

    private static Outcome make(Calls calls, Call call) {
        Outcome outcome = new Outcome();
        try {
            calls.make(call, outcome);
        } catch (RuntimeException failure) {
            outcome.error = errorName(failure);
        }
        outcome.finish();
        return outcome;
    }

    /** The service's error code where there is one, else the exception's type. */
    private static String errorName(Throwable failure) {
        if (failure instanceof CompletionException && failure.getCause() != null) {
            return errorName(failure.getCause());
        }
        if (failure instanceof AwsServiceException service) {
            AwsErrorDetails details = service.awsErrorDetails();
            if (details != null && details.errorCode() != null) {
                return details.errorCode();
            }
        }
        return failure.getClass().getSimpleName();
    }

    private static int concurrency() {
        String text = System.getenv().getOrDefault("SPANPROOF_CONCURRENCY", "16");
        if (!text.matches("[1-9][0-9]{0,5}")) {
            throw new IllegalArgumentException(
                    "SPANPROOF_CONCURRENCY must be a positive whole number, not `" + text + "`");
        }
        return Integer.parseInt(text);
    }

    private void sayReady() throws IOException {
        JsonWriter line = JsonWriter.create();
        line.writeStartObject();
        line.writeFieldName("type").writeValue("ready");
        line.writeFieldName("client").writeValue(
                "AWS SDK for Java " + VersionInfo.SDK_VERSION + " under the OpenTelemetry Java agent "
                        + agentVersion());
        line.writeEndObject();
        say(line);
    }

    private static String agentVersion() throws IOException {
        for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (argument.startsWith("-javaagent:")) {
                try (JarFile agent = new JarFile(argument.substring("-javaagent:".length()))) {
                    return agent.getManifest().getMainAttributes().getValue("Implementation-Version");
                }
            }
        }
        return "of no version: it is not loaded";
    }

    private void sayDone(long call, Outcome outcome) {
        JsonWriter line = JsonWriter.create();
        line.writeStartObject();
        line.writeFieldName("type").writeValue("done");
        line.writeFieldName("call").writeValue(call);
        outcome.write(line);
        line.writeEndObject();
        say(line);
    }

    private void say(JsonWriter line) {
        String text = new String(line.getBytes(), StandardCharsets.UTF_8) + "\n";
        synchronized (answers) {
            answers.print(text);
            answers.flush();
        }
    }
}
