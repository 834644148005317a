package frontend

import (
	"crypto/rand"
	"net/http"
	"slices"
	"sync"

	"knative-releases/offline/conference/internal/events"
	"knative-releases/offline/conference/internal/web"
)

// The newest are kept, so that a load test does not fill the memory.
const kept = 10_000

// eventLog is the events in the order in which they were read, oldest first.
type eventLog struct {
	lock   sync.Mutex
	events []events.Event
}

func (l *eventLog) add(event events.Event) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.events = append(l.events, event)
	l.events = slices.Delete(l.events, 0, max(0, len(l.events)-kept))
}

func (l *eventLog) list(*http.Request) (int, any, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return http.StatusOK, append([]events.Event{}, l.events...), nil
}

func (l *eventLog) post(r *http.Request) (int, any, error) {
	event, err := web.Read[events.Event](r)
	if err != nil {
		return 0, nil, err
	}
	if event.ID == "" {
		event.ID = rand.Text()
	}
	l.add(event)
	return http.StatusCreated, event, nil
}
