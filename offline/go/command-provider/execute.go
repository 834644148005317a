package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	provider "github.com/pulumi/pulumi-go-provider"
)

// execute runs a command with the inputs and earlier output of the state, and puts its output into the state.
//
// On an error the state is unchanged. When the context ends, the process is killed at once, and nothing else is: as
// in version 1.2.1, it gets no other signal first and no time to clean up, it shares the provider's process group, and
// what it has started goes on (until the engine closes the provider and interrupts that group). execute returns when
// nobody holds the command's output open any more.
func (s *State) execute(ctx context.Context, command string) error {
	arguments := []string{"/bin/sh", "-c"}
	if s.Interpreter != nil && len(*s.Interpreter) > 0 {
		arguments = *s.Interpreter
	}
	process := exec.CommandContext(ctx, arguments[0], append(arguments[1:len(arguments):len(arguments)], command)...)
	process.Env = s.environment()
	if s.Dir != nil {
		process.Dir = *s.Dir
	}
	if s.Stdin != nil && len(*s.Stdin) > 0 {
		process.Stdin = strings.NewReader(*s.Stdin)
	}
	var stdout, stderr bytes.Buffer
	both := &shared{}
	toStdout, toStderr := newLineLoggers(provider.GetLogger(ctx).InfoStatus, s.Logging)
	process.Stdout = io.MultiWriter(&stdout, both, toStdout)
	process.Stderr = io.MultiWriter(&stderr, both, toStderr)

	err := process.Run()
	toStdout.Flush()
	toStderr.Flush()
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, command, both.text())
	}
	s.Stdout = strings.TrimSuffix(stdout.String(), "\n")
	s.Stderr = strings.TrimSuffix(stderr.String(), "\n")
	return nil
}

// environment is the provider's own, then the resource's, then the output of the command run before.
func (s *State) environment() []string {
	environment := os.Environ()
	if s.Environment != nil {
		for name, value := range *s.Environment {
			environment = append(environment, name+"="+value)
		}
	}
	if s.AddPreviousOutputInEnv != nil && !*s.AddPreviousOutputInEnv {
		return environment
	}
	if s.Stdout != "" {
		environment = append(environment, "PULUMI_COMMAND_STDOUT="+s.Stdout)
	}
	if s.Stderr != "" {
		environment = append(environment, "PULUMI_COMMAND_STDERR="+s.Stderr)
	}
	return environment
}

// shared is a buffer that two writers fill: standard output and standard error, as they come, for an error's text.
type shared struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (s *shared) Write(data []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.buffer.Write(data)
}

func (s *shared) text() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.buffer.String()
}
