package main

import (
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

const (
	// Anthropic documents this text, with which Claude encrypts what it thinks.
	redacted = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_" +
		"46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
	// The guardrail that every id names when none is configured blocks US social security numbers.
	guardrail = "gr0000000000"
	blocked   = "My social security number is 536-90-4399."
)

func thinking(input *bedrockruntime.ConverseStreamInput) {
	input.InferenceConfig = atMost(2000)
	input.AdditionalModelRequestFields = document.NewLazyDocument(map[string]any{
		"thinking": map[string]any{"type": "enabled", "budget_tokens": 1024},
	})
}

func reasoningChecks() {
	check(18, "text of thoughts, then their signature, then the answer", func() (evidence, error) {
		found, err := converseStream(claudeCached, thinking)
		if err != nil {
			return evidence{}, err
		}
		order := found.thoughts
		return evidence{Calls: []call{found.parsed}}, ensure(
			len(order) == 2 && order[0] == "text" && order[1] == "signature" && found.text != "", "thoughts are %v", order)
	})
	check(18, "redacted content is a blob", func() (evidence, error) {
		found, err := converseStream(claudeCached, func(input *bedrockruntime.ConverseStreamInput) {
			thinking(input)
			input.Messages = user(redacted)
		})
		if err != nil {
			return evidence{}, err
		}
		return evidence{Calls: []call{found.parsed}}, ensure(
			len(found.redacted) > 0 && len(found.thoughts) == 1 && found.text != "", "thoughts are %v", found.thoughts)
	})
}

func guardrailChecks() {
	check(19, "Converse", func() (evidence, error) {
		answer, parsed, err := converse(claude, func(input *bedrockruntime.ConverseInput) {
			input.Messages = user(blocked)
			input.GuardrailConfig = &types.GuardrailConfiguration{
				GuardrailIdentifier: aws.String(guardrail), GuardrailVersion: aws.String("1"),
				Trace: types.GuardrailTraceEnabled,
			}
		})
		if err != nil {
			return evidence{}, err
		}
		assessment := answer.Trace.Guardrail.InputAssessment[guardrail]
		units := aws.ToInt32(assessment.InvocationMetrics.Usage.SensitiveInformationPolicyUnits)
		return evidence{Calls: []call{parsed}}, errors.Join(
			ensure(answer.StopReason == types.StopReasonGuardrailIntervened, "stops with %s", answer.StopReason),
			ensure(units == 1, "%d units", units))
	})
	check(19, "InvokeModel, by names of its own", func() (evidence, error) {
		answer, err := bedrock.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
			ModelId: aws.String(claude), GuardrailIdentifier: aws.String(guardrail), GuardrailVersion: aws.String("1"),
			Trace: types.TraceEnabled,
			Body:  []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"` + blocked + `"}]}`),
		})
		if err != nil {
			return evidence{}, err
		}
		var body struct {
			Action string `json:"amazon-bedrock-guardrailAction"`
			Trace  struct {
				Guardrail struct{ Input map[string]any }
			} `json:"amazon-bedrock-trace"`
		}
		err = json.Unmarshal(answer.Body, &body)
		return evidence{Exchanges: []string{requestID(answer.ResultMetadata)}}, errors.Join(err, ensure(
			body.Action == "INTERVENED" && len(body.Trace.Guardrail.Input) == 1, "%s", answer.Body))
	})
}
