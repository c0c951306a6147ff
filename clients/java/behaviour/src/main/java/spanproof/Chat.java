package spanproof;

import java.util.List;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ContentBlock;
import software.amazon.awssdk.services.bedrockruntime.model.ConversationRole;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamResponseHandler;
import software.amazon.awssdk.services.bedrockruntime.model.Message;

/**
 * A question and a streamed answer, as an application asks them. It knows nothing of spanproof or of
 * OpenTelemetry: both come from the environment.
 */
public final class Chat {
  private static final String MODEL = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";

  private static final List<Message> MESSAGES =
      List.of(
          Message.builder()
              .role(ConversationRole.USER)
              .content(ContentBlock.fromText("Name three rivers in France."))
              .build());

  private Chat() {}

  /** Prints what an application would show. */
  public static void main(String[] arguments) {
    try (BedrockRuntimeClient bedrock = BedrockRuntimeClient.create()) {
      var answer = bedrock.converse(request -> request.modelId(MODEL).messages(MESSAGES));
      System.out.println(answer.output().message().content().get(0).text());
    }
    try (BedrockRuntimeAsyncClient bedrock = BedrockRuntimeAsyncClient.create()) {
      var text = new StringBuilder();
      var visitor =
          ConverseStreamResponseHandler.Visitor.builder()
              .onContentBlockDelta(delta -> text.append(delta.delta().text()))
              .build();
      var handler = ConverseStreamResponseHandler.builder().subscriber(visitor).build();
      bedrock
          .converseStream(request -> request.modelId(MODEL).messages(MESSAGES), handler)
          .join();
      System.out.println(text);
    }
  }
}
