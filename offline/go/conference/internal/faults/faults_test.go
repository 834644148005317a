package faults

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func ask(t *testing.T, path string) int {
	t.Helper()
	faults, err := FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	response := httptest.NewRecorder()
	handler := faults.Around(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	handler.ServeHTTP(response, httptest.NewRequest("GET", path, nil))
	return response.Code
}

func TestErrorsHitRequestsButNotHealthChecks(t *testing.T) {
	t.Setenv("FAULT_ERROR_PERCENT", "100")
	if service, health := ask(t, "/service/info"), ask(t, "/health/readiness"); service != 500 || health != 200 {
		t.Errorf("got %d and %d, want 500 and 200", service, health)
	}
}

func TestLatencyDelaysAnAnswer(t *testing.T) {
	t.Setenv("FAULT_LATENCY_MS", "50")
	before := time.Now()
	if status := ask(t, "/"); status != 200 || time.Since(before) < 50*time.Millisecond {
		t.Errorf("got %d after %s", status, time.Since(before))
	}
}

func TestSettingsThatCannotBeMeantAreRefused(t *testing.T) {
	for name, value := range map[string]string{
		"FAULT_ERROR_PERCENT": "101", "FAULT_LATENCY_MS": "soon", "FAULT_NEVER_READY": "true",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if _, err := FromEnvironment(); err == nil {
				t.Errorf("%s=%s was accepted", name, value)
			}
		})
	}
}
