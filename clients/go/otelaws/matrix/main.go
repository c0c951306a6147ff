// Command matrix is one cell of the matrix: a Bedrock operation in a situation, as an application would
// write it.
//
//	matrix SITUATION OPERATION
//
// It knows nothing of spanproof but how to ask the mock for a fault. Telemetry comes from otelaws; the
// spans around the calls are the application's own.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws"
	"go.opentelemetry.io/otel"

	"spanproof/otelaws/internal/telemetry"
)

const (
	model    = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
	question = "Name three rivers in France."
)

// Long enough for the prompt cache of the model, which begins at 1,024 tokens.
var briefing = strings.Repeat(
	"You are a guide to rivers. Answer in one sentence and name no sources. ", 120)

var weather = map[string]any{
	"type":       "object",
	"properties": map[string]any{"city": map[string]any{"type": "string"}},
	"required":   []string{"city"},
}

// faults are those of buffered answers and of streams.
var faults = map[string][2]string{
	"error":     {"AccessDeniedException", "AccessDeniedException"},
	"exception": {"", "stream:throttlingException"},
	"cut":       {"cut", "cut"},
}

// application makes calls in one situation.
type application struct {
	bedrock   *bedrockruntime.Client
	situation string
}

// stream is what the SDK's event streams, each of a type of its own, have in common.
type stream[Event any] interface {
	Events() <-chan Event
	Close() error
	Err() error
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: matrix SITUATION OPERATION")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, situation, operation string) error {
	shutdown, err := telemetry.Start(ctx)
	if err != nil {
		return err
	}
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	if os.Getenv("SPANPROOF_UNINSTRUMENTED") == "" {
		otelaws.AppendMiddlewares(&settings.APIOptions)
	}
	application := application{bedrockruntime.NewFromConfig(settings), situation}
	call, err := application.operation(operation)
	if err != nil {
		return err
	}
	switch situation {
	case "interleaved":
		// Both are under way at once, each within its own caller's span.
		var callers sync.WaitGroup
		for number := range 2 {
			callers.Go(func() { application.within(ctx, fmt.Sprintf("caller %d", number), call) })
		}
		callers.Wait()
	case "cached":
		application.within(ctx, "caller", call)
		application.within(ctx, "caller", call)
	default:
		application.within(ctx, "caller", call)
	}
	// An abandoned stream goes when nothing refers to it any more.
	runtime.GC()
	return shutdown(ctx)
}

func (application application) within(
	ctx context.Context, name string, call func(context.Context) error,
) {
	tracer := otel.Tracer("application")
	ctx, span := tracer.Start(ctx, name)
	defer span.End()
	if err := call(ctx); err != nil {
		if _, asked := faults[application.situation]; !asked {
			log.Fatal(err)
		}
		return
	}
	_, after := tracer.Start(ctx, "after the call")
	after.End()
}

func (application application) operation(name string) (func(context.Context) error, error) {
	switch name {
	case "Converse":
		return application.converse, nil
	case "ConverseStream":
		return application.converseStream, nil
	case "InvokeModel":
		return application.invoke, nil
	case "InvokeModelWithResponseStream":
		return application.invokeStream, nil
	default:
		return nil, fmt.Errorf("no operation is named %s", name)
	}
}

func (application application) converse(ctx context.Context) error {
	input := application.request()
	_, err := application.bedrock.Converse(ctx, &input, application.fault(0))
	return err
}

func (application application) converseStream(ctx context.Context) error {
	input := application.request()
	response, err := application.bedrock.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId:         input.ModelId,
		Messages:        input.Messages,
		System:          input.System,
		InferenceConfig: input.InferenceConfig,
		ToolConfig:      input.ToolConfig,
	}, application.fault(1))
	if err != nil {
		return err
	}
	return leave(response.GetStream(), application.situation)
}

func (application application) invoke(ctx context.Context) error {
	body, err := application.body()
	if err != nil {
		return err
	}
	response, err := application.bedrock.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
		ModelId:     aws.String(model),
		ContentType: aws.String("application/json"),
		Body:        body,
	}, application.fault(0))
	if err != nil {
		return err
	}
	var parsed map[string]any
	return json.Unmarshal(response.Body, &parsed)
}

func (application application) invokeStream(ctx context.Context) error {
	body, err := application.body()
	if err != nil {
		return err
	}
	response, err := application.bedrock.InvokeModelWithResponseStream(
		ctx,
		&bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId:     aws.String(model),
			ContentType: aws.String("application/json"),
			Body:        body,
		},
		application.fault(1),
	)
	if err != nil {
		return err
	}
	return leave(response.GetStream(), application.situation)
}

// leave uses a stream as the situation has it.
func leave[Event any](stream stream[Event], situation string) error {
	if situation == "never" {
		return stream.Err()
	}
	seen := 0
	for range stream.Events() {
		seen++
		if seen == 2 && situation == "abandoned" {
			return stream.Err()
		}
		if seen == 2 && situation == "closed" {
			break
		}
	}
	if err := stream.Close(); err != nil {
		return err
	}
	return stream.Err()
}

func (application application) fault(kind int) func(*bedrockruntime.Options) {
	fault := faults[application.situation][kind]
	if fault == "" {
		return func(*bedrockruntime.Options) {}
	}
	return bedrockruntime.WithAPIOptions(smithyhttp.SetHeaderValue("x-spanproof-fault", fault))
}

func (application application) request() bedrockruntime.ConverseInput {
	text := &types.ContentBlockMemberText{Value: question}
	input := bedrockruntime.ConverseInput{
		ModelId: aws.String(model),
		Messages: []types.Message{
			{Role: types.ConversationRoleUser, Content: []types.ContentBlock{text}},
		},
		InferenceConfig: &types.InferenceConfiguration{
			MaxTokens:   aws.Int32(256),
			Temperature: aws.Float32(0.5),
		},
	}
	switch application.situation {
	case "tools":
		schema := &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(weather)}
		tool := types.ToolSpecification{
			Name:        aws.String("weather"),
			Description: aws.String("The weather."),
			InputSchema: schema,
		}
		input.ToolConfig = &types.ToolConfiguration{
			Tools:      []types.Tool{&types.ToolMemberToolSpec{Value: tool}},
			ToolChoice: &types.ToolChoiceMemberAny{},
		}
	case "cached":
		input.System = []types.SystemContentBlock{
			&types.SystemContentBlockMemberText{Value: briefing},
			&types.SystemContentBlockMemberCachePoint{
				Value: types.CachePointBlock{Type: types.CachePointTypeDefault},
			},
		}
	}
	return input
}

func (application application) body() ([]byte, error) {
	body := map[string]any{
		"anthropic_version": "bedrock-2023-05-31",
		"max_tokens":        256,
		"temperature":       0.5,
		"messages":          []any{map[string]any{"role": "user", "content": question}},
	}
	switch application.situation {
	case "tools":
		body["tools"] = []any{map[string]any{
			"name": "weather", "description": "The weather.", "input_schema": weather,
		}}
		body["tool_choice"] = map[string]any{"type": "any"}
	case "cached":
		body["system"] = []any{map[string]any{
			"type": "text", "text": briefing, "cache_control": map[string]any{"type": "ephemeral"},
		}}
	}
	return json.Marshal(body)
}
