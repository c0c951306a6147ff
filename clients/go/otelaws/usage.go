package main

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// usage is in the ledger's words: input tokens leave cached tokens out.
type usage struct {
	Input      int64 `json:"input_tokens"`
	Output     int64 `json:"output_tokens"`
	CacheRead  int64 `json:"cache_read_input_tokens"`
	CacheWrite int64 `json:"cache_write_input_tokens"`
}

func converseUsage(told *types.TokenUsage) *usage {
	if told == nil {
		return nil
	}
	return &usage{
		Input:      int64(orZero(told.InputTokens)),
		Output:     int64(orZero(told.OutputTokens)),
		CacheRead:  int64(orZero(told.CacheReadInputTokens)),
		CacheWrite: int64(orZero(told.CacheWriteInputTokens)),
	}
}

func orZero(count *int32) int32 {
	if count == nil {
		return 0
	}
	return *count
}

// claudeUsage is what native bodies of Claude have.
type claudeUsage struct {
	Input      *int64 `json:"input_tokens"`
	Output     *int64 `json:"output_tokens"`
	CacheRead  int64  `json:"cache_read_input_tokens"`
	CacheWrite int64  `json:"cache_creation_input_tokens"`
}

// novaUsage is what native bodies of Nova have, which name the cached counts as Converse does not.
type novaUsage struct {
	Input      int64 `json:"inputTokens"`
	Output     int64 `json:"outputTokens"`
	CacheRead  int64 `json:"cacheReadInputTokenCount"`
	CacheWrite int64 `json:"cacheWriteInputTokenCount"`
}

// native is what a native body, or a chunk of one, may have: Claude messages, Nova, Titan embeddings.
type native struct {
	Type           string          `json:"type"`
	TextTokens     *int64          `json:"inputTextTokenCount"`
	Usage          json.RawMessage `json:"usage"`
	StopReason     *string         `json:"stop_reason"`
	NovaStopReason *string         `json:"stopReason"`
	Message        struct {
		Usage claudeUsage `json:"usage"`
	} `json:"message"`
	Delta struct {
		StopReason *string `json:"stop_reason"`
	} `json:"delta"`
	MessageStop *struct {
		StopReason *string `json:"stopReason"`
	} `json:"messageStop"`
	Metadata *struct {
		Usage novaUsage `json:"usage"`
	} `json:"metadata"`
}

// readBody reads the native body of InvokeModel.
func readBody(body []byte, outcome *outcome) error {
	var fields native
	if err := json.Unmarshal(body, &fields); err != nil {
		return fmt.Errorf("the answer is not JSON: %w", err)
	}
	if fields.TextTokens != nil {
		outcome.Usage = &usage{Input: *fields.TextTokens}
		return nil
	}
	if len(fields.Usage) == 0 {
		return nil
	}
	var claude claudeUsage
	if err := json.Unmarshal(fields.Usage, &claude); err != nil {
		return err
	}
	if claude.Input != nil {
		outcome.Usage, outcome.StopReason = claude.told(), fields.StopReason
		return nil
	}
	var nova novaUsage
	if err := json.Unmarshal(fields.Usage, &nova); err != nil {
		return err
	}
	outcome.Usage, outcome.StopReason = nova.told(), fields.NovaStopReason
	return nil
}

// readChunk reads one native chunk of InvokeModelWithResponseStream.
func readChunk(chunk []byte, outcome *outcome) error {
	var fields native
	if err := json.Unmarshal(chunk, &fields); err != nil {
		return fmt.Errorf("a chunk is not JSON: %w", err)
	}
	switch {
	case fields.Type == "message_start":
		outcome.Usage = fields.Message.Usage.told()
	case fields.Type == "message_delta":
		outcome.StopReason = fields.Delta.StopReason
		var claude claudeUsage
		if len(fields.Usage) > 0 {
			if err := json.Unmarshal(fields.Usage, &claude); err != nil {
				return err
			}
		}
		if outcome.Usage != nil && claude.Output != nil {
			outcome.Usage.Output = *claude.Output
		}
	case fields.MessageStop != nil:
		outcome.StopReason = fields.MessageStop.StopReason
	case fields.Metadata != nil:
		outcome.Usage = fields.Metadata.Usage.told()
	}
	return nil
}

func (told claudeUsage) told() *usage {
	usage := &usage{CacheRead: told.CacheRead, CacheWrite: told.CacheWrite}
	if told.Input != nil {
		usage.Input = *told.Input
	}
	if told.Output != nil {
		usage.Output = *told.Output
	}
	return usage
}

func (told novaUsage) told() *usage {
	usage := usage(told)
	return &usage
}
