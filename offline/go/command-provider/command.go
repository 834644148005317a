package main

import (
	"context"
	"fmt"
	"slices"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Command is the resource `command:local:Command`: a process run on this machine when the resource is created, updated
// and deleted.
type Command struct{}

// Inputs are the supported inputs of a Command. Any change of theirs is an update, a change of Triggers a replacement.
type Inputs struct {
	Create                 *string            `pulumi:"create,optional"`
	Update                 *string            `pulumi:"update,optional"`
	Delete                 *string            `pulumi:"delete,optional"`
	Triggers               *[]any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *string            `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// State is what the engine keeps of a Command: its inputs and the output of its last create or update.
type State struct {
	Inputs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

var supported = []string{
	"create", "update", "delete", "triggers", "interpreter", "dir", "environment", "stdin", "logging",
	"addPreviousOutputInEnv",
}

// Annotate sets the token that the SDK asks for; it would be derived from the Go package otherwise.
func (c *Command) Annotate(a infer.Annotator) {
	a.SetToken("local", "Command")
	a.Describe(&c, "A command run on this machine (stand-in).")
}

// Check refuses every property that is not supported, and an unknown value of logging.
func (*Command) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[Inputs], error) {
	known, refused := req.NewInputs, []provider.CheckFailure{}
	for name := range req.NewInputs.All {
		if !slices.Contains(supported, name) {
			known = known.Delete(name)
			refused = append(refused, provider.CheckFailure{Property: name, Reason: fmt.Sprintf(
				"the stand-in for the command provider does not support %q; it supports %q", name, supported)})
		}
	}
	inputs, failures, err := infer.DefaultCheck[Inputs](ctx, known)
	failures = append(refused, failures...)
	if err == nil && inputs.Logging != nil && !slices.Contains(loggings, *inputs.Logging) {
		failures = append(failures, provider.CheckFailure{Property: "logging", Reason: fmt.Sprintf(
			"%q given; one of %q wanted", *inputs.Logging, loggings)})
	}
	return infer.CheckResponse[Inputs]{Inputs: inputs, Failures: failures}, err
}

// WireDependencies makes every output depend on every input: a secret given makes stdout and stderr secret. (The
// framework's default keeps them public; outputs that mirror an input keep that input's secrecy.)
func (*Command) WireDependencies(f infer.FieldSelector, inputs *Inputs, state *State) {
	f.OutputField(state).DependsOn(f.InputField(inputs))
}

// Create runs `create`, if there is one.
func (*Command) Create(
	ctx context.Context, req infer.CreateRequest[Inputs],
) (infer.CreateResponse[State], error) {
	response := infer.CreateResponse[State]{Output: State{Inputs: req.Inputs}}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err != nil {
		return response, err
	}
	response.ID = id
	if req.DryRun || req.Inputs.Create == nil {
		return response, nil
	}
	return response, response.Output.execute(ctx, *req.Inputs.Create)
}

// Update runs `update`, or `create` again where there is none.
func (*Command) Update(
	ctx context.Context, req infer.UpdateRequest[Inputs, State],
) (infer.UpdateResponse[State], error) {
	// The earlier output stays: the command may read it, and it is kept when nothing runs.
	state := State{Inputs: req.Inputs, Stdout: req.State.Stdout, Stderr: req.State.Stderr}
	command := req.Inputs.Update
	if command == nil {
		command = req.Inputs.Create
	}
	var err error
	if !req.DryRun && command != nil {
		err = state.execute(ctx, *command)
	}
	return infer.UpdateResponse[State]{Output: state}, err
}

// Delete runs `delete`, if there is one, with the inputs last known.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[State]) (infer.DeleteResponse, error) {
	if req.State.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	return infer.DeleteResponse{}, req.State.execute(ctx, *req.State.Delete)
}
