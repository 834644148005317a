package server

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestARequestInFlightIsFinishedAfterTheEndIsAsked(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			end()
			time.Sleep(100 * time.Millisecond)
			w.WriteHeader(http.StatusAccepted)
		}))
	}()
	response, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatalf("the request in flight was lost: %v", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Errorf("got %d", response.StatusCode)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v, want a clean end", err)
	}
}
