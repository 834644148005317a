// Package faults plays a bad release. Test knobs of this stand-in alone: the upstream services have none of them.
package faults

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"knative-releases/offline/conference/internal/env"
)

// Faults is what a bad version does to its requests; the zero value does nothing.
type Faults struct {
	latency      time.Duration
	errorPercent int
}

// FromEnvironment reads FAULT_LATENCY_MS, FAULT_ERROR_PERCENT, FAULT_CRASH_AFTER_SECONDS and FAULT_NEVER_READY.
// The latter two act on the process itself: an error at once, an exit after that time.
func FromEnvironment() (Faults, error) {
	never, err := strconv.ParseBool(env.String("FAULT_NEVER_READY", "false"))
	if err != nil {
		return Faults{}, fmt.Errorf("FAULT_NEVER_READY is %q, want true or false", os.Getenv("FAULT_NEVER_READY"))
	}
	if never {
		return Faults{}, errors.New("FAULT_NEVER_READY is true: this version plays one that never starts")
	}
	latency, err := number("FAULT_LATENCY_MS", 600_000)
	if err != nil {
		return Faults{}, err
	}
	percent, err := number("FAULT_ERROR_PERCENT", 100)
	if err != nil {
		return Faults{}, err
	}
	crash, err := number("FAULT_CRASH_AFTER_SECONDS", 86_400)
	if err != nil {
		return Faults{}, err
	}
	if crash > 0 {
		time.AfterFunc(time.Duration(crash)*time.Second, func() {
			slog.Error("crashing, as FAULT_CRASH_AFTER_SECONDS asks", "seconds", crash)
			os.Exit(1)
		})
	}
	return Faults{latency: time.Duration(latency) * time.Millisecond, errorPercent: percent}, nil
}

// Around delays requests and fails some with 500. Health checks are spared: FAULT_NEVER_READY is for those.
func (f Faults) Around(next http.Handler) http.Handler {
	if f == (Faults{}) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/health/") {
			next.ServeHTTP(w, r)
			return
		}
		time.Sleep(f.latency)
		if rand.IntN(100) < f.errorPercent {
			http.Error(w, `{"error":"FAULT_ERROR_PERCENT"}`, http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func number(name string, most int) (int, error) {
	text := env.String(name, "0")
	value, err := strconv.Atoi(text)
	if err != nil || value < 0 || value > most {
		return 0, fmt.Errorf("%s is %q, want a whole number from 0 to %d", name, text, most)
	}
	return value, nil
}
