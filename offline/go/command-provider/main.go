// Command pulumi-resource-command is a stand-in for the Pulumi command provider, for machines that reach package
// registries only: the real provider is in none of them. It offers `command:local:Command` and nothing else, with the
// semantics of version 1.2.1, and refuses what it does not support. Where the real plugin can be installed, use that.
package main

import (
	"context"
	"fmt"
	"os"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

const (
	packageName = "command"
	// The version stood in for: the SDK asks the engine for exactly this one.
	version = "1.2.1"
)

func newProvider() (provider.Provider, error) {
	return infer.NewProviderBuilder().
		WithDescription("A stand-in for the Pulumi command provider: command:local:Command only.").
		WithResources(infer.Resource(&Command{})).
		Build()
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	built, err := newProvider()
	if err != nil {
		return err
	}
	return built.Run(ctx, packageName, version)
}
