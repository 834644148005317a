// Package web turns functions that return values and errors into JSON endpoints.
package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

const bodyLimit = 1 << 20

// Endpoint answers a request with a status and a body, or with an error.
type Endpoint func(r *http.Request) (status int, body any, err error)

// Problem is an error with a status of its own; any other error answers 500.
type Problem struct {
	Status int
	Text   string
}

func (p *Problem) Error() string { return p.Text }

// Wrong is a problem that the caller can mend.
func Wrong(status int, format string, values ...any) error {
	return &Problem{Status: status, Text: fmt.Sprintf(format, values...)}
}

func (e Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, err := e(r)
	if err != nil {
		status = http.StatusInternalServerError
		var problem *Problem
		if errors.As(err, &problem) {
			status = problem.Status
		}
		if status >= http.StatusInternalServerError {
			slog.Error("request failed", "method", r.Method, "path", r.URL.Path, "status", status, "error", err)
		}
		body = map[string]string{"error": err.Error()}
	}
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	write(w, status, encode(body))
}

// Read decodes a request's JSON body, of at most 1 MiB.
func Read[T any](r *http.Request) (T, error) {
	var value T
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, bodyLimit)).Decode(&value); err != nil {
		return value, Wrong(http.StatusBadRequest, "the body is not the JSON wanted here: %v", err)
	}
	return value, nil
}

// Constant answers with a value that never changes, encoded once.
func Constant(value any) http.Handler {
	body := encode(value)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, body) })
}

func encode(value any) []byte {
	body, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("an answer that JSON cannot hold: %v", err))
	}
	return append(body, '\n')
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		slog.Warn("the caller went away before the answer was written", "error", err)
	}
}
