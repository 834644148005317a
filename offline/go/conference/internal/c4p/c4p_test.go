package c4p

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

type table map[string]Proposal

func (t table) all(context.Context) ([]Proposal, error)          { return nil, nil }
func (t table) add(_ context.Context, p Proposal) error          { t[p.ID] = p; return nil }
func (t table) remove(context.Context, string) (Proposal, error) { return Proposal{}, errNone }
func (t table) get(_ context.Context, id string) (Proposal, error) {
	if p, found := t[id]; found {
		return p, nil
	}
	return Proposal{}, errNone
}
func (t table) decide(_ context.Context, id string, approved bool) (Proposal, error) {
	p, found := t[id]
	if !found || (p.Status.Status != pending && p.Approved != approved) {
		return Proposal{}, errNone
	}
	p.Approved, p.Status = approved, Status{decided}
	t[id] = p
	return p, nil
}

// start serves a service whose neighbours answer with a status; told is what they were asked, produced the events.
func start(t *testing.T, status int) (handler http.Handler, told, produced *[]string) {
	t.Helper()
	told, produced = &[]string{}, &[]string{}
	neighbours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*told = append(*told, r.URL.Path+" "+string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(neighbours.Close)
	service := &Service{
		proposals: table{"p1": {ID: "p1", Title: "T", Status: Status{pending}}},
		produce:   func(kind string, _ any) { *produced = append(*produced, kind) },
		others:    others{neighbours.URL, neighbours.URL, http.DefaultClient},
	}
	mux := http.NewServeMux()
	service.Routes(mux)
	return mux, told, produced
}

func post(handler http.Handler, path, body string) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest("POST", path, strings.NewReader(body)))
	return response
}

func TestAnApprovalReachesAgendaAndNotifications(t *testing.T) {
	handler, told, produced := start(t, http.StatusCreated)
	if got := post(handler, "/proposals/p1/decide/", `{"approved":true}`); got.Code != 200 {
		t.Fatalf("got %d %s", got.Code, got.Body)
	}
	if len(*told) != 2 || !strings.HasPrefix((*told)[0], "/agenda-items/ ") ||
		!strings.Contains((*told)[0], `"proposal":{"id":"p1"}`) || !strings.HasPrefix((*told)[1], "/notifications/ ") {
		t.Errorf("told: %v", *told)
	}
	if !slices.Equal(*produced, []string{"proposal-approved"}) {
		t.Errorf("events: %v", *produced)
	}
}

func TestARejectionReachesNotificationsOnlyAndStands(t *testing.T) {
	handler, told, _ := start(t, http.StatusCreated)
	if got := post(handler, "/proposals/p1/decide/", `{"approved":false}`); got.Code != 200 || len(*told) != 1 {
		t.Fatalf("got %d %s, told %v", got.Code, got.Body, *told)
	}
	if got := post(handler, "/proposals/p1/decide/", `{"approved":true}`); got.Code != http.StatusConflict {
		t.Errorf("the opposite decision got %d %s, want 409", got.Code, got.Body)
	}
}

func TestADecisionThatWasNotToldCanBeRepeated(t *testing.T) {
	handler, told, _ := start(t, http.StatusServiceUnavailable)
	for range 2 {
		if got := post(handler, "/proposals/p1/decide/", `{"approved":true}`); got.Code != http.StatusBadGateway {
			t.Errorf("got %d %s, want 502", got.Code, got.Body)
		}
	}
	if len(*told) != 2 {
		t.Errorf("told: %v, want the agenda twice", *told)
	}
}

func TestProposalsThatDoNotExistOrLackATitleAreRefused(t *testing.T) {
	handler, _, _ := start(t, http.StatusCreated)
	if got := post(handler, "/proposals/none/decide/", `{"approved":true}`); got.Code != http.StatusNotFound {
		t.Errorf("got %d %s, want 404", got.Code, got.Body)
	}
	if got := post(handler, "/proposals/", `{"author":"a","email":"e"}`); got.Code != http.StatusBadRequest {
		t.Errorf("got %d %s, want 400", got.Code, got.Body)
	}
}
