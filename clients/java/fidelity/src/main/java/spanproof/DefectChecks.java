package spanproof;

import static spanproof.Fidelity.CLAUDE;
import static spanproof.Fidelity.fault;
import static spanproof.Report.check;
import static spanproof.Report.ensure;

import java.util.List;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.model.AccessDeniedException;
import software.amazon.awssdk.services.bedrockruntime.model.BedrockRuntimeException;
import software.amazon.awssdk.services.bedrockruntime.model.InternalServerException;
import software.amazon.awssdk.services.bedrockruntime.model.ModelStreamErrorException;
import software.amazon.awssdk.services.bedrockruntime.model.ModelTimeoutException;
import software.amazon.awssdk.services.bedrockruntime.model.ServiceUnavailableException;
import software.amazon.awssdk.services.bedrockruntime.model.ThrottlingException;
import software.amazon.awssdk.services.bedrockruntime.model.ValidationException;

/** Streams that end badly. */
final class DefectChecks {
    private final BedrockRuntimeAsyncClient bedrock;

    DefectChecks(BedrockRuntimeAsyncClient bedrock) {
        this.bedrock = bedrock;
    }

    void run() throws InterruptedException {
        Report.concurrently(List.of(
                frame("throttlingException", ThrottlingException.class, 3),
                frame("modelStreamErrorException", ModelStreamErrorException.class, 1),
                frame("internalServerException", InternalServerException.class, 3),
                frame("validationException", ValidationException.class, 1),
                frame("serviceUnavailableException", ServiceUnavailableException.class, 3),
                () -> check(6, "modelTimeoutException on a native stream", evidence -> {
                    Told told = Told.invoke(bedrock, CLAUDE, "stream:modelTimeoutException");
                    evidence.detail = Report.said(told.failure);
                    evidence.attempts(told.call().requestId(), 1);
                    ensure(told.failure instanceof ModelTimeoutException, "%s", evidence.detail);
                }),
                () -> check(6, "a frame with :message-type error", evidence -> {
                    Told told = with("stream:error");
                    evidence.detail = Report.said(told.failure);
                    ensure(told.failure != null && !told.order.isEmpty(), "%s", evidence.detail);
                }),
                () -> check(7, "an exception before a stream", evidence -> {
                    Told told = with("AccessDeniedException");
                    ensure(told.failure instanceof AccessDeniedException denied
                            && "You don't have access to the model with the specified model ID."
                                    .equals(denied.awsErrorDetails().errorMessage()),
                            "%s", told.failure);
                }),
                () -> check(5, "a frame with a wrong checksum", evidence -> {
                    Told told = with("bad-crc");
                    evidence.detail = Report.said(told.failure);
                    ensure(told.failure != null && evidence.detail.toLowerCase().contains("checksum"),
                            "%s", evidence.detail);
                }),
                () -> check(20, "a stream without messageStop is taken as whole", evidence -> {
                    Told told = with("no-message-stop");
                    ensure(told.failure == null && !told.text.isEmpty() && told.stopReason == null,
                            "%s, stop %s", told.failure, told.stopReason);
                }),
                () -> check(20, "an unknown event is passed on as such", evidence -> {
                    Told told = with("unknown-event");
                    evidence.detail = String.join(" ", told.order);
                    ensure(told.failure == null && told.order.contains("unknown"), "%s %s", told.failure, told.order);
                })));
        // Over HTTP/2 the mock resets the stream of the answer, which the SDK takes for its end.
        check(20, "a stream that is reset is taken as whole", evidence -> {
            Told told = with("cut");
            ensure(told.failure == null && !told.text.isEmpty() && told.stopReason == null,
                    "%s after %s", told.failure, told.order);
        });
    }

    /**
     * Unlike every other SDK, this one tries again when a stream fails with an exception that it
     * would retry before one: the application is told the events of each attempt.
     */
    private Runnable frame(String name, Class<? extends BedrockRuntimeException> type, int attempts) {
        return () -> check(6, "a frame " + name + ": " + attempts + " of 3 attempts", evidence -> {
            Told told = with("stream:" + name);
            evidence.detail = Report.said(told.failure);
            evidence.attempts(told.call().requestId(), attempts);
            long begun = told.order.stream().filter("messageStart"::equals).count();
            ensure(type.isInstance(told.failure) && begun == attempts, "%s after %s", evidence.detail, told.order);
        });
    }

    private Told with(String fault) {
        return Told.tryConverse(bedrock, CLAUDE, request -> request.overrideConfiguration(fault(fault)));
    }
}
