// Command fidelity drives the mock with the AWS SDK for Go, as it comes, and prints one JSON line
// per check; clients/README.md says what is in it. Endpoint, region and keys come from the
// environment, as in any program.
package main

import (
	"context"
	"log"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	claude       = "anthropic.claude-3-5-sonnet-20240620-v1:0"
	claudeCached = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
	nova         = "amazon.nova-lite-v1:0"
	titanEmbed   = "amazon.titan-embed-text-v2:0"
	profile      = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/" + nova
	question     = "Why is the sky blue? Answer in a sentence."
)

var (
	ctx     = context.Background()
	bedrock *bedrockruntime.Client
	// The protocol of the latest answer, such as HTTP/1.1.
	protocol atomic.Value
)

// noting is the SDK's own transport, watched.
type noting struct{ inner aws.HTTPClient }

func (client noting) Do(request *http.Request) (*http.Response, error) {
	response, err := client.inner.Do(request)
	if response != nil {
		protocol.Store(response.Proto)
	}
	return response, err
}

func main() {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	bedrock = bedrockruntime.NewFromConfig(settings, func(options *bedrockruntime.Options) {
		options.HTTPClient = noting{options.HTTPClient}
	})
	converseChecks()
	streamChecks()
	nativeChecks()
	toolChecks()
	cacheChecks()
	reasoningChecks()
	guardrailChecks()
	defectChecks()
	errorChecks()
	bearerChecks()
}

// header adds a header to one call.
func header(name, value string) func(*bedrockruntime.Options) {
	return bedrockruntime.WithAPIOptions(smithyhttp.SetHeaderValue(name, value))
}

// fault makes the mock fail one call.
func fault(name string) func(*bedrockruntime.Options) {
	return header("x-spanproof-fault", name)
}

func user(text string) []types.Message {
	return []types.Message{{
		Role:    types.ConversationRoleUser,
		Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
	}}
}

func atMost(tokens int32) *types.InferenceConfiguration {
	return &types.InferenceConfiguration{MaxTokens: aws.Int32(tokens)}
}
