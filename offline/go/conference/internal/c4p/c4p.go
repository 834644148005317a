// Package c4p is the call for proposals: it keeps them in PostgreSQL and decides about them.
package c4p

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"knative-releases/offline/conference/internal/events"
	"knative-releases/offline/conference/internal/web"
)

const (
	pending = "PENDING"
	decided = "DECIDED"
)

var errNone = errors.New("no such proposal")

// Proposal is a talk that somebody would like to give.
type Proposal struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Author      string `json:"author"`
	Email       string `json:"email"`
	Approved    bool   `json:"approved"`
	Status      Status `json:"status"`
}

// Status is PENDING or DECIDED.
type Status struct {
	Status string `json:"status"`
}

// Decision is the body of a decide request.
type Decision struct {
	Approved bool `json:"approved"`
}

type proposals interface {
	all(ctx context.Context) ([]Proposal, error)
	add(ctx context.Context, p Proposal) error
	get(ctx context.Context, id string) (Proposal, error)
	decide(ctx context.Context, id string, approved bool) (Proposal, error)
	remove(ctx context.Context, id string) (Proposal, error)
}

// Service is the call-for-proposals service.
type Service struct {
	proposals proposals
	produce   func(kind string, about any)
	others    others
	close     func()
}

// New connects to PostgreSQL and Kafka. The services that it calls need not be up: they may be scaled to zero.
func New(ctx context.Context) (*Service, error) {
	others, err := othersFromEnvironment()
	if err != nil {
		return nil, err
	}
	proposals, err := newStore(ctx)
	if err != nil {
		return nil, err
	}
	producer, err := events.NewProducer(ctx)
	if err != nil {
		proposals.pool.Close()
		return nil, err
	}
	closeAll := func() { producer.Close(); proposals.pool.Close() }
	return &Service{proposals: proposals, produce: producer.Produce, others: others, close: closeAll}, nil
}

// Routes adds GET and POST /proposals/, DELETE /proposals/{id} and POST /proposals/{id}/decide/.
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("GET /proposals/{$}", web.Endpoint(s.list))
	mux.Handle("POST /proposals/{$}", web.Endpoint(s.submit))
	mux.Handle("DELETE /proposals/{id}", web.Endpoint(s.remove))
	mux.Handle("POST /proposals/{id}/decide/{$}", web.Endpoint(s.decide))
}

// Close ends the connections.
func (s *Service) Close() { s.close() }

func (s *Service) list(r *http.Request) (int, any, error) {
	all, err := s.proposals.all(r.Context())
	return http.StatusOK, all, err
}

func (s *Service) submit(r *http.Request) (int, any, error) {
	proposal, err := web.Read[Proposal](r)
	if err != nil {
		return 0, nil, err
	}
	for name, value := range map[string]string{
		"title": proposal.Title, "author": proposal.Author, "email": proposal.Email,
	} {
		if strings.TrimSpace(value) == "" {
			return 0, nil, web.Wrong(http.StatusBadRequest, "the proposal has no %s", name)
		}
	}
	proposal.ID, proposal.Approved, proposal.Status = rand.Text(), false, Status{pending}
	if err := s.proposals.add(r.Context(), proposal); err != nil {
		return 0, nil, err
	}
	s.produce("proposal-created", proposal)
	return http.StatusCreated, proposal, nil
}

func (s *Service) remove(r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	proposal, err := s.proposals.remove(r.Context(), id)
	if errors.Is(err, errNone) {
		return 0, nil, web.Wrong(http.StatusNotFound, "there is no proposal %q", id)
	}
	if err != nil {
		return 0, nil, err
	}
	s.produce("proposal-removed", proposal)
	return http.StatusNoContent, nil, nil
}

func (s *Service) decide(r *http.Request) (int, any, error) {
	decision, err := web.Read[Decision](r)
	if err != nil {
		return 0, nil, err
	}
	// Once taken, a decision is carried out even if the caller goes away meanwhile.
	ctx, id := context.WithoutCancel(r.Context()), r.PathValue("id")
	proposal, err := s.proposals.decide(ctx, id, decision.Approved)
	if errors.Is(err, errNone) {
		return 0, nil, s.whyNot(ctx, id)
	}
	if err != nil {
		return 0, nil, err
	}
	if proposal.Approved {
		s.produce("proposal-approved", proposal)
	} else {
		s.produce("proposal-rejected", proposal)
	}
	if err := s.others.tell(ctx, proposal); err != nil {
		return 0, nil, web.Wrong(http.StatusBadGateway, "decided, but not all were told; decide the same again: %v", err)
	}
	return http.StatusOK, proposal, nil
}

func (s *Service) whyNot(ctx context.Context, id string) error {
	switch proposal, err := s.proposals.get(ctx, id); {
	case errors.Is(err, errNone):
		return web.Wrong(http.StatusNotFound, "there is no proposal %q", id)
	case err != nil:
		return err
	case proposal.Approved:
		return web.Wrong(http.StatusConflict, "proposal %q has been approved already", id)
	default:
		return web.Wrong(http.StatusConflict, "proposal %q has been rejected already", id)
	}
}
