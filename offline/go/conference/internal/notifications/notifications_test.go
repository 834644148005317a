package notifications

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type recorded []string

func (r *recorded) Produce(kind string, _ any) { *r = append(*r, kind) }
func (r *recorded) Close()                     {}

func TestWhatIsSentIsListedAndProduced(t *testing.T) {
	produced := &recorded{}
	mux := http.NewServeMux()
	(&Service{events: produced}).Routes(mux)
	ask := func(method, body string) *httptest.ResponseRecorder {
		response := httptest.NewRecorder()
		mux.ServeHTTP(response, httptest.NewRequest(method, "/notifications/", strings.NewReader(body)))
		return response
	}
	if empty := ask("GET", ""); strings.TrimSpace(empty.Body.String()) != "[]" {
		t.Errorf("no notifications yet: got %s, want []", empty.Body)
	}
	if sent := ask("POST", `{"proposalId":"p1","accepted":true}`); sent.Code != http.StatusCreated {
		t.Fatalf("got %d %s", sent.Code, sent.Body)
	}
	var list []Notification
	if err := json.Unmarshal(ask("GET", "").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].ProposalID != "p1" || list[0].ID == "" || len(*produced) != 1 {
		t.Errorf("got %v and events %v", list, *produced)
	}
}
