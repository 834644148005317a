// Package agenda keeps the talks of the conference in Redis.
package agenda

import (
	"context"
	"crypto/rand"
	"net/http"

	"knative-releases/offline/conference/internal/events"
	"knative-releases/offline/conference/internal/web"
)

// Item is a talk on the agenda.
type Item struct {
	ID          string   `json:"id"`
	Proposal    Proposal `json:"proposal"`
	Title       string   `json:"title"`
	Author      string   `json:"author"`
	Description string   `json:"description"`
	Archived    bool     `json:"archived"`
}

// Proposal names the proposal that a talk came from.
type Proposal struct {
	ID string `json:"id"`
}

// Service is the agenda service.
type Service struct {
	items  *store
	events *events.Producer
}

// New connects to Redis and Kafka.
func New(ctx context.Context) (*Service, error) {
	items, err := newStore(ctx)
	if err != nil {
		return nil, err
	}
	producer, err := events.NewProducer(ctx)
	if err != nil {
		items.Close()
		return nil, err
	}
	return &Service{items: items, events: producer}, nil
}

// Routes adds GET and POST /agenda-items/, GET and DELETE /agenda-items/{id}.
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("GET /agenda-items/{$}", web.Endpoint(s.list))
	mux.Handle("POST /agenda-items/{$}", web.Endpoint(s.add))
	mux.Handle("GET /agenda-items/{id}", web.Endpoint(s.get))
	mux.Handle("DELETE /agenda-items/{id}", web.Endpoint(s.remove))
}

// Close ends the connections.
func (s *Service) Close() {
	s.events.Close()
	s.items.Close()
}

func (s *Service) list(r *http.Request) (int, any, error) {
	items, err := s.items.all(r.Context())
	return http.StatusOK, items, err
}

// add takes an id that the caller gives: who posts the same item again, after an answer was lost, adds it once.
func (s *Service) add(r *http.Request) (int, any, error) {
	item, err := web.Read[Item](r)
	if err != nil {
		return 0, nil, err
	}
	if item.Title == "" {
		return 0, nil, web.Wrong(http.StatusBadRequest, "the agenda item has no title")
	}
	if item.ID == "" {
		item.ID = rand.Text()
	}
	if err := s.items.put(r.Context(), item); err != nil {
		return 0, nil, err
	}
	s.events.Produce("agenda-item-created", item)
	return http.StatusCreated, item, nil
}

func (s *Service) get(r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	item, found, err := s.items.get(r.Context(), id)
	if err == nil && !found {
		err = web.Wrong(http.StatusNotFound, "there is no agenda item %q", id)
	}
	return http.StatusOK, item, err
}

func (s *Service) remove(r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	found, err := s.items.remove(r.Context(), id)
	if err != nil {
		return 0, nil, err
	}
	if !found {
		return 0, nil, web.Wrong(http.StatusNotFound, "there is no agenda item %q", id)
	}
	s.events.Produce("agenda-item-removed", map[string]string{"id": id})
	return http.StatusNoContent, nil, nil
}
