package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// usage is a call's tokens in the ledger's words: input leaves cached tokens out.
type usage struct {
	InputTokens           int `json:"input_tokens"`
	OutputTokens          int `json:"output_tokens"`
	CacheReadInputTokens  int `json:"cache_read_input_tokens"`
	CacheWriteInputTokens int `json:"cache_write_input_tokens"`
}

// call is what the SDK parsed of one complete answer; the ledger must say the same.
type call struct {
	ModelID    string `json:"model_id"`
	RequestID  string `json:"request_id"`
	Usage      *usage `json:"usage"`
	StopReason string `json:"stop_reason,omitempty"`
}

// attempts is how often a call must have been tried; the ledger counts them.
type attempts struct {
	RequestID string `json:"request_id"`
	Attempts  int    `json:"attempts"`
}

// evidence is what a check hands over to be compared with the ledger.
type evidence struct {
	Calls    []call     `json:"calls,omitempty"`
	Attempts []attempts `json:"attempts,omitempty"`
	// Request ids that the ledger must have.
	Exchanges []string `json:"exchanges,omitempty"`
	Detail    string   `json:"detail,omitempty"`
}

type line struct {
	Test   int    `json:"test"`
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	evidence
}

var output sync.Mutex

// check runs one check of the numbered test and prints its line.
func check(test int, name string, run func() (evidence, error)) {
	found, err := run()
	if err != nil {
		found.Detail = err.Error()
	}
	text, err2 := json.Marshal(line{test, name, err == nil, found})
	if err2 != nil {
		panic(err2)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Fprintln(os.Stdout, string(text))
}

// concurrently runs checks side by side: retries wait, and waiting costs nothing.
func concurrently(checks ...func()) {
	var all sync.WaitGroup
	for _, one := range checks {
		all.Add(1)
		go func() {
			defer all.Done()
			one()
		}()
	}
	all.Wait()
}

func ensure(holds bool, format string, arguments ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}
