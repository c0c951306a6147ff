package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"
)

// token is an API key that does not expire.
type token string

// RetrieveBearerToken gives the key itself.
func (key token) RetrieveBearerToken(context.Context) (bearer.Token, error) {
	return bearer.Token{Value: string(key)}, nil
}

// keyed is a client that sends an API key.
func keyed(key token, endpoint string) (*bedrockruntime.Client, error) {
	authority, err := os.Open(os.Getenv("SPANPROOF_TLS_AUTHORITY"))
	if err != nil {
		return nil, err
	}
	defer authority.Close()
	settings, err := config.LoadDefaultConfig(ctx,
		config.WithBearerAuthTokenProvider(key),
		config.WithAuthSchemePreference("httpBearerAuth"),
		config.WithCustomCABundle(authority),
	)
	return bedrockruntime.NewFromConfig(settings, func(options *bedrockruntime.Options) {
		options.BaseEndpoint = aws.String(endpoint)
	}), err
}

func bearerChecks() {
	input := &bedrockruntime.ConverseInput{ModelId: aws.String(claude), Messages: user(question)}
	key := token(os.Getenv("SPANPROOF_BEARER_KEY"))
	encrypted := os.Getenv("SPANPROOF_TLS_ENDPOINT")
	check(20, "the SDK sends a bearer key over HTTPS only", func() (evidence, error) {
		client, err := keyed(key, os.Getenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"))
		if err != nil {
			return evidence{}, err
		}
		_, err = client.Converse(ctx, input)
		return evidence{Detail: fmt.Sprint(err)}, ensure(err != nil && strings.Contains(err.Error(), "requires HTTPS"), "%v", err)
	})
	check(20, "a bearer key in place of SigV4", func() (evidence, error) {
		client, err := keyed(key, encrypted)
		if err != nil {
			return evidence{}, err
		}
		answer, err := client.Converse(ctx, input)
		if err != nil {
			return evidence{}, err
		}
		parsed := call{claude, requestID(answer.ResultMetadata), counted(answer.Usage), string(answer.StopReason)}
		return evidence{Calls: []call{parsed}}, nil
	})
	check(20, "a bad bearer key", func() (evidence, error) {
		client, err := keyed("bedrock-api-key-nonsense", encrypted)
		if err != nil {
			return evidence{}, err
		}
		_, err = client.Converse(ctx, input)
		var response *awshttp.ResponseError
		return evidence{Detail: fmt.Sprint(err)}, ensure(errors.As(err, &response) && response.HTTPStatusCode() == 403, "%v", err)
	})
}
