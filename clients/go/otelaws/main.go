// Command otelaws is the AWS SDK for Go under otelaws as a worker of spanproof; clients/README.md
// describes the protocol. Endpoint, region, keys, retries and exporters come from the environment,
// as in any program.
package main

import (
	"context"
	"log"
	"os"
	"runtime/debug"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws"

	"spanproof/otelaws/internal/telemetry"
)

const sdk = "github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	shutdown, err := telemetry.Start(ctx)
	if err != nil {
		return err
	}
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	otelaws.AppendMiddlewares(&settings.APIOptions)
	caller := caller{bedrock: bedrockruntime.NewFromConfig(settings)}
	client := sdk + " " + version(sdk) + " with otelaws " + otelaws.Version
	if err := serve(ctx, os.Stdin, os.Stdout, client, caller.call); err != nil {
		return err
	}
	return shutdown(ctx)
}

// version is that of a module in this program.
func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return dependency.Version
			}
		}
	}
	return "of unknown version"
}
