package main

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// request is a Converse request in the SDK's types.
type request struct {
	messages  []types.Message
	system    []types.SystemContentBlock
	inference *types.InferenceConfiguration
	tools     *types.ToolConfiguration
	metadata  map[string]string
}

// wireRequest has the members of a Converse request that the generator makes.
type wireRequest struct {
	Messages []struct {
		Role    string      `json:"role"`
		Content []wireBlock `json:"content"`
	} `json:"messages"`
	System          []wireBlock                   `json:"system"`
	InferenceConfig *types.InferenceConfiguration `json:"inferenceConfig"`
	ToolConfig      *wireTools                    `json:"toolConfig"`
	RequestMetadata map[string]string             `json:"requestMetadata"`
}

type wireBlock struct {
	Text       *string         `json:"text"`
	CachePoint json.RawMessage `json:"cachePoint"`
	ToolUse    *struct {
		ToolUseID *string `json:"toolUseId"`
		Name      *string `json:"name"`
		Input     any     `json:"input"`
	} `json:"toolUse"`
	ToolResult *struct {
		ToolUseID *string                `json:"toolUseId"`
		Content   []wireBlock            `json:"content"`
		Status    types.ToolResultStatus `json:"status"`
	} `json:"toolResult"`
}

type wireTools struct {
	Tools []struct {
		ToolSpec struct {
			Name        *string `json:"name"`
			Description *string `json:"description"`
			InputSchema struct {
				JSON any `json:"json"`
			} `json:"inputSchema"`
		} `json:"toolSpec"`
	} `json:"tools"`
	ToolChoice map[string]json.RawMessage `json:"toolChoice"`
}

func parseRequest(text []byte) (request, error) {
	var wire wireRequest
	if err := json.Unmarshal(text, &wire); err != nil {
		return request{}, fmt.Errorf("the request is not one of Converse: %w", err)
	}
	// The SDK has no tags for JSON; its names are those of the API but for case, which is passed over.
	parsed := request{
		inference: wire.InferenceConfig,
		tools:     wire.ToolConfig.tools(),
		metadata:  wire.RequestMetadata,
	}
	for _, message := range wire.Messages {
		content := make([]types.ContentBlock, 0, len(message.Content))
		for _, block := range message.Content {
			content = append(content, block.content())
		}
		role := types.ConversationRole(message.Role)
		parsed.messages = append(parsed.messages, types.Message{Role: role, Content: content})
	}
	for _, block := range wire.System {
		parsed.system = append(parsed.system, block.system())
	}
	return parsed, nil
}

var cachePoint = types.CachePointBlock{Type: types.CachePointTypeDefault}

func (block wireBlock) content() types.ContentBlock {
	switch {
	case block.Text != nil:
		return &types.ContentBlockMemberText{Value: *block.Text}
	case block.ToolUse != nil:
		return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
			ToolUseId: block.ToolUse.ToolUseID,
			Name:      block.ToolUse.Name,
			Input:     document.NewLazyDocument(block.ToolUse.Input),
		}}
	case block.ToolResult != nil:
		result := types.ToolResultBlock{
			ToolUseId: block.ToolResult.ToolUseID,
			Status:    block.ToolResult.Status,
		}
		for _, content := range block.ToolResult.Content {
			if content.Text != nil {
				text := &types.ToolResultContentBlockMemberText{Value: *content.Text}
				result.Content = append(result.Content, text)
			}
		}
		return &types.ContentBlockMemberToolResult{Value: result}
	default:
		return &types.ContentBlockMemberCachePoint{Value: cachePoint}
	}
}

func (block wireBlock) system() types.SystemContentBlock {
	if block.Text != nil {
		return &types.SystemContentBlockMemberText{Value: *block.Text}
	}
	return &types.SystemContentBlockMemberCachePoint{Value: cachePoint}
}

func (tools *wireTools) tools() *types.ToolConfiguration {
	if tools == nil {
		return nil
	}
	configuration := &types.ToolConfiguration{}
	for _, tool := range tools.Tools {
		schema := document.NewLazyDocument(tool.ToolSpec.InputSchema.JSON)
		configuration.Tools = append(configuration.Tools, &types.ToolMemberToolSpec{
			Value: types.ToolSpecification{
				Name:        tool.ToolSpec.Name,
				Description: tool.ToolSpec.Description,
				InputSchema: &types.ToolInputSchemaMemberJson{Value: schema},
			},
		})
	}
	if _, found := tools.ToolChoice["any"]; found {
		configuration.ToolChoice = &types.ToolChoiceMemberAny{}
	} else if _, found := tools.ToolChoice["auto"]; found {
		configuration.ToolChoice = &types.ToolChoiceMemberAuto{}
	}
	return configuration
}
