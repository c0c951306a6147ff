// Package telemetry registers the OpenTelemetry SDK, which sends to where the environment says.
package telemetry

import (
	"context"
	"errors"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Start registers it. What it gives sends what is left and ends it. Without instrumentation, as
// SPANPROOF_UNINSTRUMENTED asks for, there is none.
func Start(ctx context.Context) (func(context.Context) error, error) {
	if os.Getenv("SPANPROOF_UNINSTRUMENTED") != "" {
		return func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	tracers := trace.NewTracerProvider(trace.WithBatcher(exporter))
	otel.SetTracerProvider(tracers)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return func(ctx context.Context) error {
		return errors.Join(tracers.ForceFlush(ctx), tracers.Shutdown(ctx))
	}, nil
}
