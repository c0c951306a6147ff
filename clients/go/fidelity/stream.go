package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// told is what a ConverseStream said.
type told struct {
	parsed call
	order  []string
	text   string
	tool   types.ToolUseBlockStart
	input  string
	// What the deltas of reasoning were, those of one kind after another once.
	thoughts []string
	redacted []byte
}

func converseStream(model string, change func(*bedrockruntime.ConverseStreamInput), options ...func(*bedrockruntime.Options)) (told, error) {
	input := &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String(model), Messages: user(question), InferenceConfig: atMost(200),
	}
	if change != nil {
		change(input)
	}
	answer, err := bedrock.ConverseStream(ctx, input, options...)
	if err != nil {
		return told{}, err
	}
	found := told{parsed: call{ModelID: model, RequestID: requestID(answer.ResultMetadata)}}
	if names := bedrockHeaders(answer.ResultMetadata); len(names) > 0 {
		return found, fmt.Errorf("a stream has the headers %v", names)
	}
	stream := answer.GetStream()
	defer stream.Close()
	for event := range stream.Events() {
		found.order = append(found.order, strings.TrimPrefix(fmt.Sprintf("%T", event), "*types.ConverseStreamOutputMember"))
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockStart:
			if start, isTool := event.Value.Start.(*types.ContentBlockStartMemberToolUse); isTool {
				found.tool = start.Value
			}
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch delta := event.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				found.text += delta.Value
			case *types.ContentBlockDeltaMemberReasoningContent:
				found.think(delta.Value)
			case *types.ContentBlockDeltaMemberToolUse:
				found.input += aws.ToString(delta.Value.Input)
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			found.parsed.StopReason = string(event.Value.StopReason)
		case *types.ConverseStreamOutputMemberMetadata:
			found.parsed.Usage = counted(event.Value.Usage)
		}
	}
	return found, stream.Err()
}

func (found *told) think(delta types.ReasoningContentBlockDelta) {
	kind := "text"
	switch delta := delta.(type) {
	case *types.ReasoningContentBlockDeltaMemberSignature:
		kind = "signature"
	case *types.ReasoningContentBlockDeltaMemberRedactedContent:
		kind, found.redacted = "redacted", delta.Value
	}
	if last := len(found.thoughts) - 1; last < 0 || found.thoughts[last] != kind {
		found.thoughts = append(found.thoughts, kind)
	}
}

func streamChecks() {
	for _, model := range []string{claude, nova} {
		check(2, "text begins without contentBlockStart, "+model, func() (evidence, error) {
			found, err := converseStream(model, nil)
			if err != nil {
				return evidence{}, err
			}
			order := strings.Join(found.order, " ")
			grammar := regexp.MustCompile(`^MessageStart (ContentBlockDelta )+ContentBlockStop MessageStop Metadata$`)
			return evidence{Calls: []call{found.parsed}}, ensure(grammar.MatchString(order), "the events are %s", order)
		})
		check(3, "flat events, "+model, func() (evidence, error) {
			found, err := converseStream(model, nil)
			if err != nil {
				return evidence{}, err
			}
			return evidence{Calls: []call{found.parsed}}, ensure(
				found.text != "" && found.parsed.Usage != nil && found.parsed.Usage.OutputTokens > 0,
				"text %q, usage %v", found.text, found.parsed.Usage)
		})
	}
}

func toolChecks() {
	pattern := regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)
	known := map[string]bool{}
	for _, model := range []string{claude, nova} {
		check(17, "a streamed tool use of "+model, func() (evidence, error) {
			found, err := converseStream(model, func(input *bedrockruntime.ConverseStreamInput) {
				input.ToolConfig = tools()
			})
			if err != nil {
				return evidence{}, err
			}
			id := aws.ToString(found.tool.ToolUseId)
			var arguments struct{ City string }
			err = errors.Join(
				ensure(aws.ToString(found.tool.Name) == "get_weather", "the tool is %+v", found.tool),
				ensure(pattern.MatchString(id) && !known[id], "the id is %q", id),
				json.Unmarshal([]byte(found.input), &arguments),
				ensure(arguments.City != "", "the input is %s", found.input),
				ensure(found.parsed.StopReason == "tool_use", "stops with %s", found.parsed.StopReason),
			)
			known[id] = true
			return evidence{Calls: []call{found.parsed}}, err
		})
	}
}

func tools() *types.ToolConfiguration {
	return &types.ToolConfiguration{
		ToolChoice: &types.ToolChoiceMemberAny{},
		Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String("get_weather"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{
				"type":       "object",
				"properties": map[string]any{"city": map[string]any{"type": "string"}},
				"required":   []string{"city"},
			})},
		}}},
	}
}
