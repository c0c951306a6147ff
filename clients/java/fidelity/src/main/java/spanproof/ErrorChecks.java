package spanproof;

import static spanproof.Fidelity.CLAUDE;
import static spanproof.Fidelity.fault;
import static spanproof.Report.check;
import static spanproof.Report.ensure;

import java.util.List;
import software.amazon.awssdk.services.bedrockruntime.model.AccessDeniedException;
import software.amazon.awssdk.services.bedrockruntime.model.BedrockRuntimeException;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseResponse;
import software.amazon.awssdk.services.bedrockruntime.model.InternalServerException;
import software.amazon.awssdk.services.bedrockruntime.model.ModelErrorException;
import software.amazon.awssdk.services.bedrockruntime.model.ModelNotReadyException;
import software.amazon.awssdk.services.bedrockruntime.model.ModelTimeoutException;
import software.amazon.awssdk.services.bedrockruntime.model.ResourceNotFoundException;
import software.amazon.awssdk.services.bedrockruntime.model.ServiceUnavailableException;
import software.amazon.awssdk.services.bedrockruntime.model.ThrottlingException;
import software.amazon.awssdk.services.bedrockruntime.model.ValidationException;
import spanproof.Report.Call;
import spanproof.Report.Usage;

/** Exceptions in place of answers, and how often the SDK tries. */
final class ErrorChecks {
    private final Caller bedrock;

    ErrorChecks(Caller bedrock) {
        this.bedrock = bedrock;
    }

    void run() throws InterruptedException {
        Report.concurrently(List.of(
                exception(8, "ThrottlingException", ThrottlingException.class, 429, 3),
                exception(8, "ModelNotReadyException", ModelNotReadyException.class, 429, 3),
                exception(8, "InternalServerException", InternalServerException.class, 500, 3),
                exception(8, "ServiceUnavailableException", ServiceUnavailableException.class, 503, 3),
                exception(8, "ValidationException", ValidationException.class, 400, 1),
                exception(8, "AccessDeniedException", AccessDeniedException.class, 403, 1),
                exception(8, "ResourceNotFoundException", ResourceNotFoundException.class, 404, 1),
                exception(8, "ModelErrorException", ModelErrorException.class, 424, 1),
                exception(9, "ModelTimeoutException", ModelTimeoutException.class, 408, 1),
                () -> check(8, "an exception on the first attempt only", evidence -> {
                    ConverseResponse answer = converse("ThrottlingException@1");
                    String id = answer.responseMetadata().requestId();
                    evidence.call(new Call(CLAUDE, id, Usage.of(answer.usage()), answer.stopReasonAsString()));
                    evidence.attempts(id, 2);
                }),
                () -> check(8, "429 without x-amzn-errortype", evidence -> {
                    BedrockRuntimeException error = failure("untyped:429");
                    evidence.detail = Report.said(error);
                    evidence.attempts(error.requestId(), 3);
                    ensure(error.statusCode() == 429, "%s", error);
                })));
    }

    private Runnable exception(
            int test, String name, Class<? extends BedrockRuntimeException> type, int status, int attempts) {
        return () -> check(test, name + ": " + attempts + " of 3 attempts", evidence -> {
            BedrockRuntimeException error = failure(name);
            evidence.detail = Report.said(error);
            ensure(type.isInstance(error) && error.statusCode() == status
                    && error.awsErrorDetails().errorCode().equals(name)
                    && !error.awsErrorDetails().errorMessage().isEmpty(),
                    "status %s, %s", error.statusCode(), error.awsErrorDetails());
            evidence.attempts(error.requestId(), attempts);
        });
    }

    private ConverseResponse converse(String fault) {
        return bedrock.converse(request -> request.modelId(CLAUDE)
                .messages(Fidelity.user(Fidelity.QUESTION))
                .overrideConfiguration(fault(fault)));
    }

    private BedrockRuntimeException failure(String fault) {
        try {
            throw new AssertionError("no exception but " + converse(fault));
        } catch (RuntimeException error) {
            if (Report.cause(error) instanceof BedrockRuntimeException modelled) {
                return modelled;
            }
            throw error;
        }
    }
}
