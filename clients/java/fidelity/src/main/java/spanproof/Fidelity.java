package spanproof;

import java.util.List;
import java.util.function.Consumer;
import java.util.logging.LogManager;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ContentBlock;
import software.amazon.awssdk.services.bedrockruntime.model.ConversationRole;
import software.amazon.awssdk.services.bedrockruntime.model.Message;

/**
 * Drives the mock with the AWS SDK for Java, as it comes: with its synchronous client ({@code sync})
 * or its asynchronous one ({@code async}). Prints one JSON line per check; clients/README.md says
 * what is in it. Endpoint, region and keys come from the environment, as in any program.
 */
public final class Fidelity {
    static final String CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0";
    static final String CLAUDE_CACHED = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    static final String NOVA = "amazon.nova-lite-v1:0";
    static final String TITAN_EMBED = "amazon.titan-embed-text-v2:0";
    static final String PROFILE =
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/" + NOVA;
    static final String QUESTION = "Why is the sky blue? Answer in a sentence.";

    private Fidelity() {}

    public static void main(String[] arguments) throws Exception {
        // Netty logs every connection that the checks break on purpose.
        LogManager.getLogManager().reset();
        if (arguments[0].equals("sync")) {
            try (BedrockRuntimeClient client = BedrockRuntimeClient.create()) {
                Caller caller = Caller.of(client);
                Transport.checkSync();
                new AnswerChecks(caller).run();
                new ErrorChecks(caller).run();
            }
            BearerChecks.runSync();
        } else {
            try (BedrockRuntimeAsyncClient client = BedrockRuntimeAsyncClient.create()) {
                Caller caller = Caller.of(client);
                Transport.checkAsync();
                new AnswerChecks(caller).run();
                new StreamChecks(client).run();
                new DefectChecks(client).run();
                new ErrorChecks(caller).run();
            }
            BearerChecks.runAsync();
        }
    }

    static Message user(String text) {
        return Message.builder().role(ConversationRole.USER).content(List.of(ContentBlock.fromText(text))).build();
    }

    /** Makes the mock fail one call. */
    static Consumer<AwsRequestOverrideConfiguration.Builder> fault(String name) {
        return override -> override.putHeader("x-spanproof-fault", name);
    }
}
