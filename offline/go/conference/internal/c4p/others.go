package c4p

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"knative-releases/offline/conference/internal/env"
)

// A service that is scaled to zero answers after it has started: pod, image, stores.
const answerLimit = 75 * time.Second

// others are the services that hear of a decision.
type others struct {
	agenda, notifications string
	client                *http.Client
}

func othersFromEnvironment() (others, error) {
	agenda, err := env.Required("AGENDA_SERVICE_URL")
	if err != nil {
		return others{}, err
	}
	notifications, err := env.Required("NOTIFICATIONS_SERVICE_URL")
	if err != nil {
		return others{}, err
	}
	return others{agenda, notifications, &http.Client{Timeout: answerLimit}}, nil
}

// tell puts an approved proposal on the agenda and notifies the author of either decision.
func (o others) tell(ctx context.Context, p Proposal) error {
	subject := "Your proposal was rejected: " + p.Title
	if p.Approved {
		subject = "Your proposal was approved: " + p.Title
		err := o.post(ctx, o.agenda+"/agenda-items/", map[string]any{
			"id": p.ID, "proposal": map[string]string{"id": p.ID},
			"title": p.Title, "author": p.Author, "description": p.Description,
		})
		if err != nil {
			return err
		}
	}
	return o.post(ctx, o.notifications+"/notifications/", map[string]any{
		"proposalId": p.ID, "title": p.Title, "emailTo": p.Email, "accepted": p.Approved,
		"emailSubject": subject, "emailBody": fmt.Sprintf("Dear %s, %s.", p.Author, strings.ToLower(subject[:1])+subject[1:]),
	})
}

func (o others) post(ctx context.Context, url string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := o.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s answered %s: %.200s", url, response.Status, answer)
	}
	return nil
}
