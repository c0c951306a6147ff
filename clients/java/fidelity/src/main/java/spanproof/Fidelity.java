package spanproof;

import java.util.List;
import java.util.function.Consumer;
import java.util.logging.LogManager;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.document.Document;
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

    /** Anthropic documents this text, with which Claude encrypts what it thinks. */
    static final String REDACTED = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_"
            + "46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB";
    static final Document THINKING = Document.mapBuilder()
            .putMap("thinking", thinking -> thinking.putString("type", "enabled").putNumber("budget_tokens", 1024))
            .build();
    /** The guardrail that every id names when none is configured blocks US social security numbers. */
    static final String GUARDRAIL = "gr0000000000";
    static final String BLOCKED = "My social security number is 536-90-4399.";

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
