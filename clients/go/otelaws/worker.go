package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

// call is one call of the plan.
type call struct {
	Number    uint64          `json:"call"`
	Operation string          `json:"operation"`
	ModelID   string          `json:"model_id"`
	Request   json.RawMessage `json:"request"`
	Headers   [][2]string     `json:"headers"`
}

// outcome is what the application saw of a call.
type outcome struct {
	Type       string  `json:"type"`
	Call       uint64  `json:"call"`
	Started    int64   `json:"started_unix_nanos"`
	FirstChunk int64   `json:"first_chunk_unix_nanos,omitempty"`
	Finished   int64   `json:"finished_unix_nanos"`
	Error      string  `json:"error,omitempty"`
	Usage      *usage  `json:"usage,omitempty"`
	StopReason *string `json:"stop_reason,omitempty"`
}

// chunkArrived notes the time of the first chunk; later ones change nothing.
func (outcome *outcome) chunkArrived() {
	if outcome.FirstChunk == 0 {
		outcome.FirstChunk = time.Now().UnixNano()
	}
}

// serve runs the worker until its input ends: it says that it is ready, makes calls, and answers
// each when it has ended.
func serve(
	ctx context.Context,
	input io.Reader,
	output io.Writer,
	client string,
	execute func(context.Context, call, *outcome) error,
) error {
	limit, err := concurrency()
	if err != nil {
		return err
	}
	answers := answers{output: output}
	if err := answers.write(map[string]string{"type": "ready", "client": client}); err != nil {
		return err
	}
	// Calls that wait stay in the pipe, where the generator sees the backlog.
	room := make(chan struct{}, limit)
	var open sync.WaitGroup
	lines := bufio.NewReader(input)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var asked call
			if err := json.Unmarshal(line, &asked); err != nil {
				return fmt.Errorf("line %d of the input is not a call: %w", number, err)
			}
			room <- struct{}{}
			open.Go(func() {
				defer func() { <-room }()
				answers.note(answers.write(answer(ctx, asked, execute)))
			})
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("cannot read line %d of the input: %w", number, err)
		}
	}
	open.Wait()
	return answers.failure
}

func answer(
	ctx context.Context,
	asked call,
	execute func(context.Context, call, *outcome) error,
) outcome {
	outcome := outcome{Type: "done", Call: asked.Number, Started: time.Now().UnixNano()}
	if err := execute(ctx, asked, &outcome); err != nil {
		outcome.Error = errorName(err)
	}
	outcome.Finished = time.Now().UnixNano()
	return outcome
}

// errorName is the service's error code where there is one, else the type of the innermost error that
// has one of its own.
func errorName(err error) string {
	var coded smithy.APIError
	if errors.As(err, &coded) {
		return coded.ErrorCode()
	}
	name := "error"
	for ; err != nil; err = errors.Unwrap(err) {
		kind := reflect.TypeOf(err).String()
		if !strings.HasPrefix(kind, "*errors.") && !strings.HasPrefix(kind, "*fmt.") {
			name = kind[strings.LastIndex(kind, ".")+1:]
		}
	}
	return name
}

func concurrency() (int, error) {
	text, found := os.LookupEnv("SPANPROOF_CONCURRENCY")
	if !found {
		return 16, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 {
		return 0, fmt.Errorf("SPANPROOF_CONCURRENCY must be a positive whole number, not `%s`", text)
	}
	return limit, nil
}

// answers are lines of JSON, each written whole.
type answers struct {
	lock    sync.Mutex
	output  io.Writer
	failure error
}

func (answers *answers) write(answer any) error {
	line, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	answers.lock.Lock()
	defer answers.lock.Unlock()
	_, err = answers.output.Write(append(line, '\n'))
	return err
}

func (answers *answers) note(err error) {
	answers.lock.Lock()
	defer answers.lock.Unlock()
	answers.failure = errors.Join(answers.failure, err)
}
