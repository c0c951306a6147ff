package spanproof;

import io.opentelemetry.api.trace.Span;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * Makes requests say which span they belong to: as {@code traceparent} the span that the agent has put
 * into the request in X-Ray's words; and the SDK's invocation id on the current span, which can only be
 * the agent's, since calls are made without one. The asynchronous client has none that is current.
 * These are the SDK's own hooks; nothing of the agent is patched.
 */
final class Tagging implements ExecutionInterceptor {
    private static final Pattern XRAY =
            Pattern.compile("Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])");

    @Override
    public SdkHttpRequest modifyHttpRequest(Context.ModifyHttpRequest context, ExecutionAttributes attributes) {
        SdkHttpRequest request = context.httpRequest();
        return request.firstMatchingHeader("X-Amzn-Trace-Id")
                .flatMap(Tagging::traceparent)
                .<SdkHttpRequest>map(parent -> request.toBuilder().putHeader("traceparent", parent).build())
                .orElse(request);
    }

    private static Optional<String> traceparent(String xray) {
        Matcher ids = XRAY.matcher(xray);
        return ids.find()
                ? Optional.of("00-" + ids.group(1) + ids.group(2) + "-" + ids.group(3) + "-0" + ids.group(4))
                : Optional.empty();
    }

    @Override
    public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes attributes) {
        context.httpRequest()
                .firstMatchingHeader("amz-sdk-invocation-id")
                .ifPresent(id -> Span.current().setAttribute("spanproof.invocation_id", id));
    }
}
