// Command conference is a stand-in for the four services of the conference application: one binary, the service
// is chosen by its argument and the version by CONFERENCE_VERSION, as upstream's images choose them by tag.
package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"knative-releases/offline/conference/internal/agenda"
	"knative-releases/offline/conference/internal/c4p"
	"knative-releases/offline/conference/internal/env"
	"knative-releases/offline/conference/internal/faults"
	"knative-releases/offline/conference/internal/frontend"
	"knative-releases/offline/conference/internal/info"
	"knative-releases/offline/conference/internal/notifications"
	"knative-releases/offline/conference/internal/server"
)

// service is one of the four: connected to its stores when it is made, so that only a working one listens.
type service interface {
	Routes(mux *http.ServeMux)
	Close()
}

var services = map[string]func(context.Context, info.Info) (service, error){
	"agenda-service": func(ctx context.Context, _ info.Info) (service, error) { return agenda.New(ctx) },
	"c4p-service":    func(ctx context.Context, _ info.Info) (service, error) { return c4p.New(ctx) },
	"frontend":       func(ctx context.Context, i info.Info) (service, error) { return frontend.New(ctx, i) },
	"notifications-service": func(ctx context.Context, _ info.Info) (service, error) {
		return notifications.New(ctx)
	},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "conference:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	known := strings.Join(slices.Sorted(maps.Keys(services)), ", ")
	if len(arguments) != 1 {
		return fmt.Errorf("got %d arguments, want one: the service, of %s", len(arguments), known)
	}
	name := arguments[0]
	start, found := services[name]
	if !found {
		return fmt.Errorf("unknown service %q, want one of %s", name, known)
	}
	faults, err := faults.FromEnvironment()
	if err != nil {
		return err
	}
	version, err := env.Required("CONFERENCE_VERSION")
	if err != nil {
		return err
	}
	about := info.FromEnvironment(name, version)
	service, err := start(ctx, about)
	if err != nil {
		return fmt.Errorf("%s cannot start: %w", name, err)
	}
	defer service.Close()
	mux := http.NewServeMux()
	service.Routes(mux)
	about.Routes(mux)
	return server.Run(ctx, ":"+env.String("APP_PORT", "8080"), faults.Around(mux))
}
