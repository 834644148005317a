package info

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestNamesAndPathsOfTheVersions(t *testing.T) {
	for _, one := range []struct{ service, version, name, path string }{
		{"notifications-service", "1.0.0", "NOTIFICATIONS", "/service/info"},
		{"notifications-service", "1.1.0", "NOTIFICATIONS-IMPROVED", "/service/info"},
		{"c4p-service", "1.1.0", "C4P", "/service/info"},
		{"agenda-service", "1.0.0", "AGENDA", "/service/info"},
		{"frontend", "1.1.0", "FRONTEND", "/api/service/info"},
	} {
		t.Setenv("POD_NODENAME", "node-1")
		mux := http.NewServeMux()
		FromEnvironment(one.service, one.version).Routes(mux)
		response := httptest.NewRecorder()
		mux.ServeHTTP(response, httptest.NewRequest("GET", one.path, nil))
		var got map[string]string
		if err := json.Unmarshal(response.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v: %s", one.service, err, response.Body)
		}
		if got["name"] != one.name || got["version"] != one.version || got["podNodeName"] != "node-1" || len(got) != 8 {
			t.Errorf("%s %s: got %v", one.service, one.version, got)
		}
	}
}
