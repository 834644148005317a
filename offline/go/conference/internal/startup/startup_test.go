package startup

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReachTriesAgainUntilTheStoreAnswers(t *testing.T) {
	tries := 0
	err := reach(t.Context(), "Redis", time.Minute, func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("refused")
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Fatalf("got %v after %d tries, want success at the third", err, tries)
	}
}

func TestReachGivesUpNamingTheStoreAndTheReason(t *testing.T) {
	err := reach(t.Context(), "Redis at redis:6379", 300*time.Millisecond, func(context.Context) error {
		return errors.New("refused")
	})
	if err == nil || !strings.Contains(err.Error(), "Redis at redis:6379") || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("got %v, want the store and the reason in it", err)
	}
}
