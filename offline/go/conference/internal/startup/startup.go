// Package startup holds a service back until what it needs answers, for a bounded time.
package startup

import (
	"context"
	"fmt"
	"time"
)

// Limit is how long a store may take to answer before the service gives up. Short: Kubernetes starts it anew.
const Limit = 10 * time.Second

const (
	eachTry = 3 * time.Second
	pause   = 200 * time.Millisecond
)

// Reach tries until one try succeeds; its error names what was not reached and says why the last try failed.
func Reach(ctx context.Context, what string, try func(context.Context) error) error {
	return reach(ctx, what, Limit, try)
}

func reach(ctx context.Context, what string, limit time.Duration, try func(context.Context) error) error {
	all, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	for {
		one, done := context.WithTimeout(all, eachTry)
		err := try(one)
		done()
		if err == nil {
			return nil
		}
		// A try that the limit cut short says only that: the one before it says why.
		if last == nil || all.Err() == nil {
			last = err
		}
		select {
		case <-all.Done():
			return fmt.Errorf("%s could not be reached within %s: %w", what, limit, last)
		case <-time.After(pause):
		}
	}
}
