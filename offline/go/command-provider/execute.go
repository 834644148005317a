package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
)

// How long a cancelled command may tidy up after SIGTERM before its process group is killed.
const grace = 10 * time.Second

// At most this many bytes of standard error are told when a command fails.
const errorTail = 8 << 10

// execute runs a command with the inputs and earlier output of the state, and puts its output into the state.
//
// On an error the state is unchanged. When the context ends, the command's whole process group does too.
func (s *State) execute(ctx context.Context, command string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: not run: %q", err, command)
	}
	arguments := []string{"/bin/sh", "-c"}
	if s.Interpreter != nil && len(*s.Interpreter) > 0 {
		arguments = *s.Interpreter
	}
	process := exec.Command(arguments[0], append(arguments[1:len(arguments):len(arguments)], command)...)
	process.Env = s.environment()
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.Dir != nil {
		process.Dir = *s.Dir
	}
	if s.Stdin != nil {
		process.Stdin = strings.NewReader(*s.Stdin)
	}
	var stdout, stderr bytes.Buffer
	toStdout, toStderr := newLineLoggers(provider.GetLogger(ctx).Info, s.Logging)
	process.Stdout = io.MultiWriter(&stdout, toStdout)
	process.Stderr = io.MultiWriter(&stderr, toStderr)

	if err := process.Start(); err != nil {
		return fmt.Errorf("%w: starting %q", err, command)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { endGroup(process.Process.Pid, ended) })
	err := process.Wait()
	close(ended)
	cancelled := !stop()
	toStdout.Flush()
	toStderr.Flush()
	// A command that ended well did its work, cancelled or not: it belongs into the state.
	if err != nil && cancelled {
		return fmt.Errorf("%w: stopped %q", ctx.Err(), command)
	}
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, command, tail(stderr.String()))
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

// endGroup asks a process group to end and kills what is left of it when its leader has ended or the grace is over.
func endGroup(group int, ended <-chan struct{}) {
	// An error here says that the group has gone already, which is what is wanted.
	_ = syscall.Kill(-group, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(grace):
	}
	_ = syscall.Kill(-group, syscall.SIGKILL)
}

func tail(text string) string {
	if len(text) <= errorTail {
		return text
	}
	return "…" + text[len(text)-errorTail:]
}
