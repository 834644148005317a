// Command hello stands in for Google's sample image hello-app, a small server that says which version answers. Only the
// stand-in knows the paths below /healthz, /protocol, /variable, /file and /wait, and gRPC's health protocol.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
)

const drainLimit = time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if port := os.Getenv("HELLO_PROBE_PORT"); port != "" {
		go func() { fail(serve(ctx, port, http.HandlerFunc(healthy))) }()
	}
	fail(serve(ctx, variable("PORT", "8080"), handler()))
}

func fail(err error) {
	if err != nil {
		slog.Error("the server ended", "error", err)
		os.Exit(1)
	}
}

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// handler answers gRPC calls and plain requests at one port.
func handler() http.Handler {
	calls := grpc.NewServer()
	healthgrpc.RegisterHealthServer(calls, health.NewServer())
	pages := http.NewServeMux()
	pages.HandleFunc("GET /", hello)
	pages.HandleFunc("GET /protocol", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	pages.HandleFunc("GET /healthz", healthy)
	pages.HandleFunc("GET /variable/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.Getenv(r.PathValue("name")))
	})
	pages.HandleFunc("GET /file/{path...}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "/"+r.PathValue("path"))
	})
	pages.HandleFunc("GET /wait/{duration}", wait)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			calls.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

func hello(w http.ResponseWriter, _ *http.Request) {
	host, _ := os.Hostname()
	fmt.Fprintf(w, "Hello, world!\nVersion: %s\nHostname: %s\n", os.Getenv("HELLO_VERSION"), host)
}

func healthy(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

func wait(w http.ResponseWriter, r *http.Request) {
	duration, err := time.ParseDuration(r.PathValue("duration"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(duration):
		hello(w, r)
	case <-r.Context().Done():
	}
}

// serve listens until the context ends, and then finishes the requests in flight.
func serve(ctx context.Context, port string, handler http.Handler) error {
	server := &http.Server{Addr: ":" + port, Handler: handler, ReadHeaderTimeout: 30 * time.Second, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	return errors.Join(server.Shutdown(drain))
}
