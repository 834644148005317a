package main

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blang/semver"
	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const urn = resource.URN("urn:pulumi:test::test::command:local:Command::name")

type properties = map[string]property.Value

func newServer(t *testing.T) integration.Server {
	t.Helper()
	built, err := newProvider()
	if err != nil {
		t.Fatal(err)
	}
	server, err := integration.NewServer(t.Context(), packageName, semver.MustParse(version), integration.WithProvider(built))
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func texts(pairs ...string) properties {
	values := properties{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = property.New(pairs[i+1])
	}
	return values
}

func create(t *testing.T, server integration.Server, inputs properties) provider.CreateResponse {
	t.Helper()
	response, err := server.Create(provider.CreateRequest{Urn: urn, Properties: property.NewMap(inputs)})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func wantOutput(t *testing.T, state property.Map, name, want string) {
	t.Helper()
	if got := state.Get(name).AsString(); got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

func TestCreateKeepsOutputWithoutItsLastLineEnd(t *testing.T) {
	inputs := texts("create", `cat; echo "$GREETING"; echo; echo oops >&2; pwd`, "stdin", "in ", "dir", "/usr")
	inputs["environment"] = property.New(property.NewMap(texts("GREETING", "hello")))
	state := create(t, newServer(t), inputs).Properties
	wantOutput(t, state, "stdout", "in hello\n\n/usr")
	wantOutput(t, state, "stderr", "oops")
}

func TestPreviewRunsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "made")
	_, err := newServer(t).Create(provider.CreateRequest{
		Urn: urn, DryRun: true, Properties: property.NewMap(texts("create", "touch "+file)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the preview ran the command")
	}
}

func TestUpdateRunsUpdateElseCreateAndSeesTheOutputBefore(t *testing.T) {
	for _, test := range []struct{ name, verb, prefix string }{
		{"update", "update", "updated after "}, {"create again", "create", "made again after "},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newServer(t)
			first := create(t, server, texts("create", "echo first"))
			changed := texts("create", "echo wrong")
			changed[test.verb] = property.New("echo " + test.prefix + "$PULUMI_COMMAND_STDOUT")
			second, err := server.Update(provider.UpdateRequest{
				ID: first.ID, Urn: urn, State: first.Properties, Inputs: property.NewMap(changed),
			})
			if err != nil {
				t.Fatal(err)
			}
			wantOutput(t, second.Properties, "stdout", test.prefix+"first")
		})
	}
}

func TestPreviousOutputCanBeLeftOut(t *testing.T) {
	server := newServer(t)
	inputs := texts("create", `echo "<$PULUMI_COMMAND_STDOUT>"`)
	inputs["addPreviousOutputInEnv"] = property.New(false)
	first := create(t, server, inputs)
	second, err := server.Update(provider.UpdateRequest{
		ID: first.ID, Urn: urn, State: first.Properties, Inputs: property.NewMap(inputs),
	})
	if err != nil {
		t.Fatal(err)
	}
	wantOutput(t, second.Properties, "stdout", "<>")
}

func TestDeleteRunsWithTheLastInputsAndOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deleted")
	inputs := texts("create", "echo made", "delete", `echo "$NAME $PULUMI_COMMAND_STDOUT" > `+file)
	inputs["environment"] = property.New(property.NewMap(texts("NAME", "dev")))
	server := newServer(t)
	made := create(t, server, inputs)
	if err := server.Delete(provider.DeleteRequest{ID: made.ID, Urn: urn, Properties: made.Properties}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "dev made\n" {
		t.Errorf("delete saw %q", got)
	}
}

// A changed element is told as `triggers[0]`: the SDK asks the engine to replace on `triggers[*]`.
func TestTriggersAreAChangeOfTheirOwn(t *testing.T) {
	server := newServer(t)
	with := func(command, trigger string) property.Map {
		inputs := texts("create", command)
		inputs["triggers"] = property.New([]property.Value{property.New(trigger)})
		return property.NewMap(inputs)
	}
	old := with("echo", "a")
	state := create(t, server, old.AsMap()).Properties
	for _, test := range []struct {
		inputs property.Map
		want   map[string]provider.DiffKind
	}{
		{with("echo", "a"), nil},
		{with("true", "a"), map[string]provider.DiffKind{"create": provider.Update}},
		{with("echo", "b"), map[string]provider.DiffKind{"triggers[0]": provider.Update}},
		{old.Delete("triggers"), map[string]provider.DiffKind{"triggers": provider.DeleteReplace}},
	} {
		response, err := server.Diff(provider.DiffRequest{ID: "id", Urn: urn, State: state, OldInputs: old, Inputs: test.inputs})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]provider.DiffKind{}
		for path, change := range response.DetailedDiff {
			got[path] = change.Kind
		}
		if response.HasChanges != (len(test.want) > 0) || !maps.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.inputs, got, test.want)
		}
	}
}

func TestASecretInputMakesTheOutputSecretAndLeavesOtherInputsPublic(t *testing.T) {
	inputs := texts("create", "echo $TOKEN")
	inputs["environment"] = property.New(property.NewMap(properties{"TOKEN": property.New("hush").WithSecret(true)}))
	state := create(t, newServer(t), inputs).Properties
	for name, secret := range map[string]bool{"stdout": true, "stderr": true, "create": false} {
		if state.Get(name).Secret() != secret {
			t.Errorf("%s: secret is %v", name, !secret)
		}
	}
}

func TestRefusesWhatItDoesNotSupport(t *testing.T) {
	inputs := texts("logging", "loud", "creat", "typo")
	inputs["assetPaths"] = property.New([]property.Value{property.New("*")})
	response, err := newServer(t).Check(provider.CheckRequest{Urn: urn, Inputs: property.NewMap(inputs)})
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]string{}
	for _, failure := range response.Failures {
		refused[failure.Property] = failure.Reason
	}
	for _, name := range []string{"logging", "creat", "assetPaths"} {
		if refused[name] == "" {
			t.Errorf("%s was not refused: %v", name, refused)
		}
	}
}

func TestFailureTellsExitStatusAndOutput(t *testing.T) {
	_, err := newServer(t).Create(provider.CreateRequest{
		Urn: urn, Properties: property.NewMap(texts("create", "echo first; echo because >&2; exit 7")),
	})
	if err == nil {
		t.Fatal("a failed command passes for one that did its work")
	}
	for _, told := range []string{"exit status 7", "first", "because"} {
		if !strings.Contains(err.Error(), told) {
			t.Errorf("%q is not in the error: %v", told, err)
		}
	}
}

// cancelled starts a command, cancels it half a second later, and returns its error; it may take a second to end.
func cancelled(t *testing.T, command string) error {
	t.Helper()
	server := newServer(t)
	failed := make(chan error, 1)
	go func() {
		_, err := server.Create(provider.CreateRequest{Urn: urn, Properties: property.NewMap(texts("create", command))})
		failed <- err
	}()
	time.Sleep(500 * time.Millisecond)
	if err := server.Cancel(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		return err
	case <-time.After(time.Second):
		t.Fatal("still running after the cancellation")
		return nil
	}
}

func TestCancelKillsAtOnceAndAsksNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cleaned-up")
	err := cancelled(t, "trap 'touch "+file+"' TERM INT EXIT; while :; do :; done")
	if err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("error: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the command had time to clean up; version 1.2.1 gives it none")
	}
}

func TestCancelLeavesWhatTheCommandStarted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "survived")
	// Its output is closed: the provider would wait for it otherwise.
	err := cancelled(t, "(sleep 2; touch "+file+") > /dev/null 2>&1 & wait")
	if err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("error: %v", err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return
		}
	}
	t.Error("a child of the command was ended; version 1.2.1 kills the command alone")
}

func TestACommandStaysInTheProvidersProcessGroup(t *testing.T) {
	inputs := texts("create", `cut -d " " -f 5 /proc/self/stat`)
	wantOutput(t, create(t, newServer(t), inputs).Properties, "stdout", strconv.Itoa(syscall.Getpgrp()))
}

func TestLinesAreLoggedAsAsked(t *testing.T) {
	for logging, want := range map[string]string{"stdout": "out|end", "stderr": "err", "stdoutAndStderr": "out|end|err", "none": ""} {
		var lines []string
		stdout, stderr := newLineLoggers(func(line string) { lines = append(lines, line) }, &logging)
		for _, part := range []string{"o", "ut\nen", "d"} {
			if _, err := stdout.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		stdout.Flush()
		if _, err := stderr.Write([]byte("err\n")); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("%s: %q, want %q", logging, got, want)
		}
	}
}
