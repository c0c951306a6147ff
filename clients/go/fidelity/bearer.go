package main

import (
	"context"

	"github.com/aws/smithy-go/auth/bearer"
)

// token is an API key that does not expire.
type token string

// RetrieveBearerToken gives the key itself.
func (key token) RetrieveBearerToken(context.Context) (bearer.Token, error) {
	return bearer.Token{Value: string(key)}, nil
}
