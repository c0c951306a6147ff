package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// caller makes the calls.
type caller struct{ bedrock *bedrockruntime.Client }

func (caller caller) call(ctx context.Context, asked call, outcome *outcome) error {
	switch asked.Operation {
	case "Converse":
		return caller.converse(ctx, asked, outcome)
	case "ConverseStream":
		return caller.converseStream(ctx, asked, outcome)
	case "InvokeModel":
		return caller.invoke(ctx, asked, outcome)
	case "InvokeModelWithResponseStream":
		return caller.invokeStream(ctx, asked, outcome)
	default:
		return fmt.Errorf("no operation is named %s", asked.Operation)
	}
}

func (caller caller) converse(ctx context.Context, asked call, outcome *outcome) error {
	request, err := parseRequest(asked.Request)
	if err != nil {
		return err
	}
	response, err := caller.bedrock.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId:         &asked.ModelID,
		Messages:        request.messages,
		System:          request.system,
		InferenceConfig: request.inference,
		ToolConfig:      request.tools,
		RequestMetadata: request.metadata,
	}, tagged(asked))
	if err != nil {
		return err
	}
	outcome.Usage = converseUsage(response.Usage)
	outcome.StopReason = aws.String(string(response.StopReason))
	return nil
}

func (caller caller) converseStream(ctx context.Context, asked call, outcome *outcome) error {
	request, err := parseRequest(asked.Request)
	if err != nil {
		return err
	}
	response, err := caller.bedrock.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId:         &asked.ModelID,
		Messages:        request.messages,
		System:          request.system,
		InferenceConfig: request.inference,
		ToolConfig:      request.tools,
		RequestMetadata: request.metadata,
	}, tagged(asked))
	if err != nil {
		return err
	}
	stream := response.GetStream()
	for event := range stream.Events() {
		outcome.chunkArrived()
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberMessageStop:
			outcome.StopReason = aws.String(string(event.Value.StopReason))
		case *types.ConverseStreamOutputMemberMetadata:
			outcome.Usage = converseUsage(event.Value.Usage)
		}
	}
	return ended(stream, outcome)
}

func (caller caller) invoke(ctx context.Context, asked call, outcome *outcome) error {
	response, err := caller.bedrock.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
		ModelId:     &asked.ModelID,
		ContentType: aws.String("application/json"),
		Body:        asked.Request,
	}, tagged(asked))
	if err != nil {
		return err
	}
	return readBody(response.Body, outcome)
}

func (caller caller) invokeStream(ctx context.Context, asked call, outcome *outcome) error {
	response, err := caller.bedrock.InvokeModelWithResponseStream(
		ctx,
		&bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId:     &asked.ModelID,
			ContentType: aws.String("application/json"),
			Body:        asked.Request,
		},
		tagged(asked),
	)
	if err != nil {
		return err
	}
	stream := response.GetStream()
	for event := range stream.Events() {
		if chunk, ok := event.(*types.ResponseStreamMemberChunk); ok {
			outcome.chunkArrived()
			if err := readChunk(chunk.Value.Bytes, outcome); err != nil {
				return err
			}
		}
	}
	return ended(stream, outcome)
}

// IncompleteStream is a stream that ended before its answer did: the SDK takes a cut connection for the
// end of the stream.
type IncompleteStream struct{}

func (IncompleteStream) Error() string { return "the stream ended without a stop reason" }

// ended closes a stream that was read to its end.
func ended(stream interface {
	Close() error
	Err() error
}, outcome *outcome) error {
	if err := stream.Close(); err != nil {
		return err
	}
	if err := stream.Err(); err != nil {
		return err
	}
	if outcome.StopReason == nil {
		return IncompleteStream{}
	}
	return nil
}

// tagged makes the requests of a call say which span they belong to: every attempt carries the
// call's headers, and the span gets the SDK's invocation id, but only when it is of otelaws, which
// also puts it into the request as traceparent. These are the SDK's own middlewares.
func tagged(asked call) func(*bedrockruntime.Options) {
	options := []func(*middleware.Stack) error{tagSpan}
	for _, header := range asked.Headers {
		options = append(options, smithyhttp.SetHeaderValue(header[0], header[1]))
	}
	return bedrockruntime.WithAPIOptions(options...)
}

func tagSpan(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("SpanproofInvocation", func(
		ctx context.Context, input middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if request, ok := input.Request.(*smithyhttp.Request); ok {
			id := request.Header.Get("amz-sdk-invocation-id")
			// Calls are made without a span, so that the current one can only be that of otelaws.
			trace.SpanFromContext(ctx).SetAttributes(attribute.String("spanproof.invocation_id", id))
		}
		return next.HandleFinalize(ctx, input)
	}), middleware.After)
}
