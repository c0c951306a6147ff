package main

import (
	"errors"
	"fmt"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// failed is what an SDK made of an exception before any answer.
func failed(err error, code string, status int, tries int) (evidence, error) {
	var modelled smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &modelled) || !errors.As(err, &response) {
		return evidence{}, fmt.Errorf("%T: %w", err, err)
	}
	found := evidence{
		Attempts: []attempts{{response.ServiceRequestID(), tries}},
		Detail:   fmt.Sprintf("%T", modelled),
	}
	return found, ensure(
		modelled.ErrorCode() == code && response.HTTPStatusCode() == status && modelled.ErrorMessage() != "",
		"code %q, status %d: %s", modelled.ErrorCode(), response.HTTPStatusCode(), modelled.ErrorMessage())
}

// exception is a check that the named exception arrives as its own type after so many tries.
func exception[T error](test int, code string, status, tries int) func() {
	return func() {
		check(test, fmt.Sprintf("%s: %d of 3 attempts", code, tries), func() (evidence, error) {
			_, _, err := converse(claude, nil, fault(code))
			var typed T
			if !errors.As(err, &typed) {
				return evidence{}, fmt.Errorf("%T is not the type of %s: %w", err, code, err)
			}
			return failed(err, code, status, tries)
		})
	}
}

func errorChecks() {
	concurrently(
		exception[*types.ThrottlingException](8, "ThrottlingException", 429, 3),
		exception[*types.ModelNotReadyException](8, "ModelNotReadyException", 429, 1),
		exception[*types.InternalServerException](8, "InternalServerException", 500, 3),
		exception[*types.ServiceUnavailableException](8, "ServiceUnavailableException", 503, 3),
		exception[*types.ValidationException](8, "ValidationException", 400, 1),
		exception[*types.AccessDeniedException](8, "AccessDeniedException", 403, 1),
		exception[*types.ResourceNotFoundException](8, "ResourceNotFoundException", 404, 1),
		exception[*types.ModelErrorException](8, "ModelErrorException", 424, 1),
		exception[*types.ModelTimeoutException](9, "ModelTimeoutException", 408, 1),
		func() {
			check(8, "an exception on the first attempt only", func() (evidence, error) {
				_, parsed, err := converse(claude, nil, fault("ThrottlingException@1"))
				return evidence{Calls: []call{parsed}, Attempts: []attempts{{parsed.RequestID, 2}}}, err
			})
		},
		func() {
			check(8, "429 without x-amzn-errortype", func() (evidence, error) {
				_, _, err := converse(claude, nil, fault("untyped:429"))
				return failed(err, "UnknownError", 429, 1)
			})
		},
		func() {
			check(7, "an exception before a stream", func() (evidence, error) {
				_, err := converseStream(claude, nil, fault("AccessDeniedException"))
				var typed *types.AccessDeniedException
				return evidence{}, ensure(errors.As(err, &typed) &&
					typed.ErrorMessage() == "You don't have access to the model with the specified model ID.", "%v", err)
			})
		},
	)
}

func frame[T error](name string) {
	check(6, "a frame "+name, func() (evidence, error) {
		found, err := converseStream(claude, nil, fault("stream:"+name))
		var typed T
		return evidence{Detail: fmt.Sprintf("%T", err)}, ensure(
			errors.As(err, &typed) && typed.Error() != "" && len(found.order) > 0, "%T: %v", err, err)
	})
}

func defectChecks() {
	frame[*types.ThrottlingException]("throttlingException")
	frame[*types.ModelStreamErrorException]("modelStreamErrorException")
	frame[*types.InternalServerException]("internalServerException")
	frame[*types.ValidationException]("validationException")
	frame[*types.ServiceUnavailableException]("serviceUnavailableException")
	check(6, "modelTimeoutException on a native stream", func() (evidence, error) {
		_, _, err := invokeStream(claude, fault("stream:modelTimeoutException"))
		var typed *types.ModelTimeoutException
		return evidence{Detail: fmt.Sprintf("%T", err)}, ensure(errors.As(err, &typed), "%T: %v", err, err)
	})
	check(6, "a frame with :message-type error", func() (evidence, error) {
		_, err := converseStream(claude, nil, fault("stream:error"))
		var general smithy.APIError
		if !errors.As(err, &general) {
			return evidence{}, fmt.Errorf("%T: %w", err, err)
		}
		return evidence{Detail: fmt.Sprintf("%T %s", err, general.ErrorCode())}, ensure(general.ErrorCode() != "", "%T: %v", err, err)
	})
	check(5, "a frame with a wrong checksum", func() (evidence, error) {
		_, err := converseStream(claude, nil, fault("bad-crc"))
		return evidence{Detail: fmt.Sprint(err)}, ensure(err != nil && strings.Contains(err.Error(), "checksum"), "%v", err)
	})
	check(20, "a stream without messageStop is taken as whole", func() (evidence, error) {
		found, err := converseStream(claude, nil, fault("no-message-stop"))
		return evidence{}, errors.Join(err, ensure(
			found.text != "" && found.parsed.StopReason == "", "text %q, stop %q", found.text, found.parsed.StopReason))
	})
	// The SDK's decoder takes a connection that breaks off within a frame for the stream's end.
	check(20, "a cut stream is taken as whole", func() (evidence, error) {
		found, err := converseStream(claude, nil, fault("cut"))
		return evidence{}, errors.Join(err, ensure(
			found.text != "" && found.parsed.StopReason == "", "text %q, stop %q", found.text, found.parsed.StopReason))
	})
	check(20, "an unknown event is passed on as such", func() (evidence, error) {
		found, err := converseStream(claude, nil, fault("unknown-event"))
		order := strings.Join(found.order, " ")
		return evidence{Detail: order}, errors.Join(err, ensure(strings.Contains(order, "UnknownUnionMember"), "the events are %s", order))
	})
}
