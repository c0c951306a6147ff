package main

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Long enough for a cache point to count on the model that caches.
var longPrompt = strings.Repeat("The style guide asks for short sentences and plain words. ", 400)

func converse(model string, change func(*bedrockruntime.ConverseInput), options ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, call, error) {
	input := &bedrockruntime.ConverseInput{
		ModelId: aws.String(model), Messages: user(question), InferenceConfig: atMost(200),
	}
	if change != nil {
		change(input)
	}
	answer, err := bedrock.Converse(ctx, input, options...)
	if err != nil {
		return nil, call{}, err
	}
	return answer, call{model, requestID(answer.ResultMetadata), counted(answer.Usage), string(answer.StopReason)}, nil
}

func converseChecks() {
	for _, model := range []string{claude, nova} {
		check(1, "Converse of "+model, func() (evidence, error) {
			answer, parsed, err := converse(model, nil)
			if err != nil {
				return evidence{}, err
			}
			message := answer.Output.(*types.ConverseOutputMemberMessage).Value
			text, isText := message.Content[0].(*types.ContentBlockMemberText)
			found := evidence{Calls: []call{parsed}, Detail: protocol.Load().(string)}
			return found, ensure(isText && text.Value != "", "no text in %+v", message)
		})
	}
	for _, model := range []string{"us." + nova, claudeCached, profile} {
		check(12, "Converse of "+model, func() (evidence, error) {
			_, parsed, err := converse(model, nil)
			return evidence{Calls: []call{parsed}}, err
		})
	}
	for _, model := range []string{claude, nova} {
		check(14, "maxTokens of "+model, func() (evidence, error) {
			answer, parsed, err := converse(model, func(input *bedrockruntime.ConverseInput) {
				input.InferenceConfig = atMost(5)
			})
			if err != nil {
				return evidence{}, err
			}
			return evidence{Calls: []call{parsed}}, ensure(
				parsed.Usage.OutputTokens <= 5 && answer.StopReason == types.StopReasonMaxTokens,
				"%d tokens and %s", parsed.Usage.OutputTokens, answer.StopReason)
		})
	}
	check(15, "no token headers on Converse", func() (evidence, error) {
		answer, parsed, err := converse(claude, nil)
		if err != nil {
			return evidence{}, err
		}
		names := bedrockHeaders(answer.ResultMetadata)
		return evidence{Calls: []call{parsed}}, ensure(len(names) == 0, "there are %v", names)
	})
}

func cacheChecks() {
	check(13, "a second cachePoint call reads what the first wrote", func() (evidence, error) {
		cached := func(input *bedrockruntime.ConverseInput) {
			input.System = []types.SystemContentBlock{
				&types.SystemContentBlockMemberText{Value: longPrompt},
				&types.SystemContentBlockMemberCachePoint{
					Value: types.CachePointBlock{Type: types.CachePointTypeDefault},
				},
			}
		}
		var found evidence
		var written int
		for turn := range 2 {
			answer, parsed, err := converse(claudeCached, cached)
			if err != nil {
				return found, err
			}
			found.Calls = append(found.Calls, parsed)
			all := parsed.Usage
			total := all.InputTokens + all.OutputTokens + all.CacheReadInputTokens + all.CacheWriteInputTokens
			if err := ensure(int(*answer.Usage.TotalTokens) == total, "the total of %+v is %d", *all, *answer.Usage.TotalTokens); err != nil {
				return found, err
			}
			if turn == 0 {
				written = all.CacheWriteInputTokens
				err = ensure(written > 0 && all.CacheReadInputTokens == 0, "first %+v", *all)
			} else {
				err = ensure(all.CacheReadInputTokens == written && all.CacheWriteInputTokens == 0, "then %+v", *all)
			}
			if err != nil {
				return found, err
			}
		}
		return found, nil
	})
}

func requestID(metadata middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	return id
}

// bedrockHeaders are the names of the answer's own headers beside the request id.
func bedrockHeaders(metadata middleware.Metadata) []string {
	var names []string
	response := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response)
	for name := range response.Header {
		if strings.HasPrefix(strings.ToLower(name), "x-amzn-bedrock-") && !strings.EqualFold(name, "x-amzn-bedrock-content-type") {
			names = append(names, name)
		}
	}
	return names
}

func counted(tokens *types.TokenUsage) *usage {
	if tokens == nil {
		return nil
	}
	return &usage{
		int(aws.ToInt32(tokens.InputTokens)), int(aws.ToInt32(tokens.OutputTokens)),
		int(aws.ToInt32(tokens.CacheReadInputTokens)), int(aws.ToInt32(tokens.CacheWriteInputTokens)),
	}
}
