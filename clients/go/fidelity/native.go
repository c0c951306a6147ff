package main

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// body is the native request of a model.
func body(model string) []byte {
	switch model {
	case nova:
		return []byte(`{"messages":[{"role":"user","content":[{"text":"` + question + `"}]}],"inferenceConfig":{"maxTokens":200}}`)
	case titanEmbed:
		return []byte(`{"inputText":"` + question + `"}`)
	default:
		return []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"` + question + `"}]}`)
	}
}

// Members of native bodies and chunks, of every family that is asked here.
type native struct {
	Usage struct {
		Input       *int `json:"input_tokens"`
		Output      *int `json:"output_tokens"`
		NovaInput   *int `json:"inputTokens"`
		NovaOutput  *int `json:"outputTokens"`
		CacheRead   int  `json:"cache_read_input_tokens"`
		CacheWrite  int  `json:"cache_creation_input_tokens"`
		NovaRead    int  `json:"cacheReadInputTokenCount"`
		NovaWritten int  `json:"cacheWriteInputTokenCount"`
	} `json:"usage"`
	StopReason     string `json:"stop_reason"`
	NovaStopReason string `json:"stopReason"`
	TitanInput     *int   `json:"inputTextTokenCount"`

	Type  string `json:"type"`
	Delta struct {
		StopReason string `json:"stop_reason"`
	} `json:"delta"`
	MessageStop struct {
		StopReason string `json:"stopReason"`
	} `json:"messageStop"`
	Metrics *struct {
		Input      int `json:"inputTokenCount"`
		Output     int `json:"outputTokenCount"`
		CacheRead  int `json:"cacheReadInputTokenCount"`
		CacheWrite int `json:"cacheWriteInputTokenCount"`
		Latency    int `json:"invocationLatency"`
		FirstByte  int `json:"firstByteLatency"`
	} `json:"amazon-bedrock-invocationMetrics"`
}

func invoke(model string) (native, call, *smithyhttp.Response, error) {
	var fields native
	answer, err := bedrock.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), Body: body(model)})
	if err != nil {
		return fields, call{}, nil, err
	}
	err = json.Unmarshal(answer.Body, &fields)
	parsed := call{ModelID: model, RequestID: requestID(answer.ResultMetadata), StopReason: fields.StopReason + fields.NovaStopReason}
	counts := fields.Usage
	switch {
	case fields.TitanInput != nil:
		parsed.Usage = &usage{InputTokens: *fields.TitanInput}
	case counts.Input != nil:
		parsed.Usage = &usage{*counts.Input, *counts.Output, counts.CacheRead, counts.CacheWrite}
	case counts.NovaInput != nil:
		parsed.Usage = &usage{*counts.NovaInput, *counts.NovaOutput, counts.NovaRead, counts.NovaWritten}
	}
	return fields, parsed, awsmiddleware.GetRawResponse(answer.ResultMetadata).(*smithyhttp.Response), err
}

func invokeStream(model string, options ...func(*bedrockruntime.Options)) (last native, parsed call, err error) {
	answer, err := bedrock.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{
		ModelId: aws.String(model), Body: body(model),
	}, options...)
	if err != nil {
		return last, parsed, err
	}
	parsed = call{ModelID: model, RequestID: requestID(answer.ResultMetadata)}
	stream := answer.GetStream()
	defer stream.Close()
	for event := range stream.Events() {
		chunk, isChunk := event.(*types.ResponseStreamMemberChunk)
		if !isChunk {
			return last, parsed, fmt.Errorf("an event %T", event)
		}
		last = native{}
		if err := json.Unmarshal(chunk.Value.Bytes, &last); err != nil {
			return last, parsed, err
		}
		parsed.StopReason += last.Delta.StopReason + last.MessageStop.StopReason
	}
	if metrics := last.Metrics; metrics != nil {
		parsed.Usage = &usage{metrics.Input, metrics.Output, metrics.CacheRead, metrics.CacheWrite}
	}
	return last, parsed, stream.Err()
}

func nativeChecks() {
	for _, model := range []string{claude, nova} {
		check(4, "chunks of "+model, func() (evidence, error) {
			_, parsed, err := invokeStream(model)
			return evidence{Calls: []call{parsed}}, err
		})
		check(16, "the last chunk of "+model, func() (evidence, error) {
			last, parsed, err := invokeStream(model)
			if err != nil {
				return evidence{}, err
			}
			return evidence{Calls: []call{parsed}}, ensure(
				last.Metrics != nil && last.Metrics.FirstByte <= last.Metrics.Latency, "metrics %+v", last.Metrics)
		})
	}
	for _, model := range []string{claude, nova, titanEmbed} {
		check(15, "token headers of "+model, func() (evidence, error) {
			_, parsed, response, err := invoke(model)
			if err != nil {
				return evidence{}, err
			}
			found := evidence{Calls: []call{parsed}}
			input := response.Header.Get("X-Amzn-Bedrock-Input-Token-Count")
			output := response.Header.Get("X-Amzn-Bedrock-Output-Token-Count")
			wanted := fmt.Sprint(parsed.Usage.OutputTokens)
			if model == titanEmbed {
				wanted = ""
			}
			return found, ensure(
				input == fmt.Sprint(parsed.Usage.InputTokens) && output == wanted &&
					response.Header.Get("X-Amzn-Bedrock-Invocation-Latency") != "",
				"headers %v for %+v", response.Header, *parsed.Usage)
		})
	}
}
