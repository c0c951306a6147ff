package spanproof;

import java.util.function.Consumer;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseResponse;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelRequest;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelResponse;

/** The operations that both of the SDK's clients have; only the asynchronous one streams. */
interface Caller {
    ConverseResponse converse(Consumer<ConverseRequest.Builder> request);

    InvokeModelResponse invokeModel(Consumer<InvokeModelRequest.Builder> request);

    static Caller of(BedrockRuntimeClient client) {
        return new Caller() {
            @Override
            public ConverseResponse converse(Consumer<ConverseRequest.Builder> request) {
                return client.converse(request);
            }

            @Override
            public InvokeModelResponse invokeModel(Consumer<InvokeModelRequest.Builder> request) {
                return client.invokeModel(request);
            }
        };
    }

    static Caller of(BedrockRuntimeAsyncClient client) {
        return new Caller() {
            @Override
            public ConverseResponse converse(Consumer<ConverseRequest.Builder> request) {
                return client.converse(request).join();
            }

            @Override
            public InvokeModelResponse invokeModel(Consumer<InvokeModelRequest.Builder> request) {
                return client.invokeModel(request).join();
            }
        };
    }
}
