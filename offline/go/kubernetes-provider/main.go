// The Kubernetes provider as its release builds it: the provider's own package, served with its schema.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// Copied from the provider's module before the build: they are generated there, and too large to commit twice.

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

func main() { provider.Serve("kubernetes", "4.25.0", schema, mapping) }
