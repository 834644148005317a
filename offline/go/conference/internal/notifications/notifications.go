// Package notifications tells authors what was decided; it keeps what it told in memory.
package notifications

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"sync"

	"knative-releases/offline/conference/internal/events"
	"knative-releases/offline/conference/internal/web"
)

// Notification is one message to an author.
type Notification struct {
	ID           string `json:"id"`
	ProposalID   string `json:"proposalId"`
	Title        string `json:"title"`
	EmailTo      string `json:"emailTo"`
	EmailSubject string `json:"emailSubject"`
	EmailBody    string `json:"emailBody"`
	Accepted     bool   `json:"accepted"`
}

// The newest are kept, so that a load test does not fill the memory.
const kept = 10_000

type producer interface {
	Produce(kind string, about any)
	Close()
}

// Service is the notifications service.
type Service struct {
	events producer
	lock   sync.Mutex
	sent   []Notification
}

// New connects to Kafka.
func New(ctx context.Context) (*Service, error) {
	producer, err := events.NewProducer(ctx)
	if err != nil {
		return nil, err
	}
	return &Service{events: producer}, nil
}

// Routes adds GET and POST /notifications/.
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("GET /notifications/{$}", web.Endpoint(s.list))
	mux.Handle("POST /notifications/{$}", web.Endpoint(s.send))
}

// Close ends the connection to Kafka.
func (s *Service) Close() { s.events.Close() }

func (s *Service) list(*http.Request) (int, any, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return http.StatusOK, append([]Notification{}, s.sent...), nil
}

func (s *Service) send(r *http.Request) (int, any, error) {
	notification, err := web.Read[Notification](r)
	if err != nil {
		return 0, nil, err
	}
	notification.ID = rand.Text()
	s.lock.Lock()
	s.sent = append(s.sent, notification)
	s.sent = slices.Delete(s.sent, 0, max(0, len(s.sent)-kept))
	s.lock.Unlock()
	s.events.Produce("notification-sent", notification)
	return http.StatusCreated, notification, nil
}
