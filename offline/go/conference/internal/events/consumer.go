package events

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"knative-releases/offline/conference/internal/env"
)

// Consumer reads events as a member of the consumer group KAFKA_GROUP_ID. Members share the topic's partitions, so
// two versions that should both see every event need groups of their own.
type Consumer struct {
	client *kgo.Client
	done   chan struct{}
}

// Consume starts to hand events to a function, one at a time; a new group begins with the oldest event.
func Consume(ctx context.Context, handle func(Event)) (*Consumer, error) {
	client, err := connect(ctx,
		kgo.ConsumerGroup(env.String("KAFKA_GROUP_ID", "app")),
		kgo.ConsumeTopics(topicName()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(1<<20),
	)
	if err != nil {
		return nil, err
	}
	consumer := &Consumer{client: client, done: make(chan struct{})}
	go consumer.run(handle)
	return consumer, nil
}

// leaveLimit is how long the end of a service waits for a Kafka that does not answer.
const leaveLimit = 5 * time.Second

// Close leaves the group, so that its next member has the partitions at once.
func (c *Consumer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveLimit)
	defer cancel()
	if err := c.client.LeaveGroupContext(ctx); err != nil {
		// Not closed then: that would wait for Kafka once more, and the process ends anyway.
		slog.Error("the consumer group was not left", "error", err)
		return
	}
	c.client.Close()
	<-c.done
}

func (c *Consumer) run(handle func(Event)) {
	defer close(c.done)
	for {
		fetches := c.client.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			slog.Error("events cannot be read", "topic", topic, "partition", partition, "error", err)
			time.Sleep(time.Second)
		})
		fetches.EachRecord(func(record *kgo.Record) {
			var event Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				slog.Error("a record is not an event", "offset", record.Offset, "error", err)
				return
			}
			handle(event)
		})
	}
}
