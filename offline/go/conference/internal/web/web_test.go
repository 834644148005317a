package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func answer(e Endpoint, body string) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	e.ServeHTTP(response, httptest.NewRequest("POST", "/", strings.NewReader(body)))
	return response
}

func TestErrorsBecomeStatusAndText(t *testing.T) {
	for status, err := range map[int]error{404: Wrong(404, "no %s", "x"), 500: errors.New("broken")} {
		got := answer(func(*http.Request) (int, any, error) { return 0, nil, err }, "")
		if got.Code != status || !strings.Contains(got.Body.String(), `{"error":"`+err.Error()+`"}`) {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
	}
}

func TestABodyThatIsNotJSONIsTheCallersMistake(t *testing.T) {
	got := answer(func(r *http.Request) (int, any, error) {
		value, err := Read[struct{ A string }](r)
		return 201, value, err
	}, "{")
	if got.Code != http.StatusBadRequest {
		t.Errorf("got %d %s, want 400", got.Code, got.Body)
	}
}
