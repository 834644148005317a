// Package events puts what happened in the services on a Kafka topic, and reads it from there.
package events

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"knative-releases/offline/conference/internal/env"
	"knative-releases/offline/conference/internal/startup"
)

// Event is one thing that happened; the payload is JSON in a string.
type Event struct {
	ID      string `json:"id"`
	Payload string `json:"payload"`
	Type    string `json:"type"`
}

// Producer sends events in the order in which they happened, without holding back the requests that cause them.
type Producer struct{ client *kgo.Client }

const (
	// How long an event is tried again while Kafka is away, before it is given up with a line in the log.
	deliveryLimit = 30 * time.Second
	// How long the end of a service waits for events that are still on their way.
	flushLimit = 5 * time.Second
)

// NewProducer connects to Kafka; the topic has to exist.
func NewProducer(ctx context.Context) (*Producer, error) {
	client, err := connect(ctx, kgo.RecordDeliveryTimeout(deliveryLimit))
	if err != nil {
		return nil, err
	}
	return &Producer{client: client}, nil
}

// Produce sends an event in the background. What fails is told in the log only: the request has been served.
func (p *Producer) Produce(kind string, about any) {
	payload, err := json.Marshal(about)
	if err != nil {
		slog.Error("an event's payload cannot be JSON", "type", kind, "error", err)
		return
	}
	value, err := json.Marshal(Event{ID: rand.Text(), Payload: string(payload), Type: kind})
	if err != nil {
		slog.Error("an event cannot be JSON", "type", kind, "error", err)
		return
	}
	// Try: with Kafka away and the buffer full it fails at once, where Produce would block the request.
	p.client.TryProduce(context.Background(), kgo.SliceRecord(value), func(_ *kgo.Record, err error) {
		if err != nil {
			slog.Error("an event was lost", "type", kind, "error", err)
		}
	})
}

// Close sends what is still on its way, for a short time.
func (p *Producer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), flushLimit)
	defer cancel()
	if err := p.client.Flush(ctx); err != nil {
		slog.Error("events were lost at the end", "events", p.client.BufferedProduceRecords(), "error", err)
	}
	p.client.Close()
}

// connect makes a client for KAFKA_URL (port 9092 unless given) and waits for the topic KAFKA_TOPIC.
func connect(ctx context.Context, options ...kgo.Opt) (*kgo.Client, error) {
	broker, err := env.Required("KAFKA_URL")
	if err != nil {
		return nil, err
	}
	topic := topicName()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(broker), kgo.DefaultProduceTopic(topic))...)
	if err != nil {
		return nil, fmt.Errorf("KAFKA_URL %q: %w", broker, err)
	}
	what := fmt.Sprintf("topic %s of Kafka at %s", topic, broker)
	err = startup.Reach(ctx, what, func(ctx context.Context) error { return findTopic(ctx, client, topic) })
	if err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

func topicName() string { return env.String("KAFKA_TOPIC", "events-topic") }

// findTopic asks for the topic without creating it, which a missing provisioning would otherwise hide behind.
func findTopic(ctx context.Context, client *kgo.Client, topic string) error {
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.Topic = &topic
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, wanted)
	request.AllowAutoTopicCreation = false
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Topics[0].ErrorCode)
}
