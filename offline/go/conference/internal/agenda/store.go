package agenda

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"knative-releases/offline/conference/internal/env"
	"knative-releases/offline/conference/internal/startup"
)

// One hash holds all items: field is the id, value the item as JSON.
const key = "agenda-items"

type store struct{ client *redis.Client }

func newStore(ctx context.Context) (*store, error) {
	host, err := env.Required("REDIS_HOST")
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(host, env.String("REDIS_PORT", "6379"))
	client := redis.NewClient(&redis.Options{
		Addr:     address,
		Password: os.Getenv("REDIS_PASSWORD"),
		PoolSize: 8,
		// startup.Reach tries again, and says once why it gave up.
		DialerRetries: 1,
		// Both are questions that Redis 7.0 answers with an error, on every new connection.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	store := &store{client: client}
	err = startup.Reach(ctx, "Redis at "+address, func(ctx context.Context) error { return client.Ping(ctx).Err() })
	if err != nil {
		store.Close()
		return nil, err
	}
	return store, nil
}

func (s *store) Close() {
	if err := s.client.Close(); err != nil {
		slog.Warn("the connection to Redis did not end well", "error", err)
	}
}

// all items, sorted by title: a hash has no order of its own.
func (s *store) all(ctx context.Context) ([]Item, error) {
	values, err := s.client.HVals(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("Redis: %w", err)
	}
	items := make([]Item, len(values))
	for i, value := range values {
		if err := json.Unmarshal([]byte(value), &items[i]); err != nil {
			return nil, fmt.Errorf("Redis holds an agenda item that is not one: %w", err)
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Or(cmp.Compare(a.Title, b.Title), cmp.Compare(a.ID, b.ID)) })
	return items, nil
}

func (s *store) get(ctx context.Context, id string) (item Item, found bool, err error) {
	value, err := s.client.HGet(ctx, key, id).Bytes()
	if errors.Is(err, redis.Nil) {
		return Item{}, false, nil
	}
	if err != nil {
		return Item{}, false, fmt.Errorf("Redis: %w", err)
	}
	return item, true, json.Unmarshal(value, &item)
}

func (s *store) put(ctx context.Context, item Item) error {
	value, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if err := s.client.HSet(ctx, key, item.ID, value).Err(); err != nil {
		return fmt.Errorf("Redis: %w", err)
	}
	return nil
}

func (s *store) remove(ctx context.Context, id string) (found bool, err error) {
	removed, err := s.client.HDel(ctx, key, id).Result()
	if err != nil {
		return false, fmt.Errorf("Redis: %w", err)
	}
	return removed > 0, nil
}
