package c4p

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"knative-releases/offline/conference/internal/env"
	"knative-releases/offline/conference/internal/startup"
)

const columns = "id, title, description, author, email, coalesce(approved, false), status"

// store is the table `proposals`, which the database's own initialisation creates.
type store struct{ pool *pgxpool.Pool }

func newStore(ctx context.Context) (*store, error) {
	host, err := env.Required("POSTGRES_HOST")
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(host, env.String("POSTGRES_PORT", "5432"))
	database := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(env.String("POSTGRES_USERNAME", "postgres"), os.Getenv("POSTGRES_PASSWORD")),
		Host:     address,
		Path:     "/postgres",
		RawQuery: "sslmode=disable&pool_max_conns=8",
	}
	pool, err := pgxpool.New(ctx, database.String())
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL at %s: %w", address, err)
	}
	err = startup.Reach(ctx, "table proposals of PostgreSQL at "+address, func(ctx context.Context) error {
		_, err := pool.Exec(ctx, "SELECT 1 FROM proposals LIMIT 1")
		return err
	})
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &store{pool: pool}, nil
}

func (s *store) all(ctx context.Context) ([]Proposal, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+columns+" FROM proposals ORDER BY title, id")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL: %w", err)
	}
	return pgx.CollectRows(rows, proposal)
}

func (s *store) add(ctx context.Context, p Proposal) error {
	_, err := s.pool.Exec(ctx,
		"INSERT INTO proposals (id, title, description, author, email, approved, status) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		p.ID, p.Title, p.Description, p.Author, p.Email, p.Approved, p.Status.Status)
	if err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	return nil
}

func (s *store) get(ctx context.Context, id string) (Proposal, error) {
	return s.one(ctx, "SELECT "+columns+" FROM proposals WHERE id = $1", id)
}

// decide is one statement, so that of two opposite decisions at the same time only one is taken; the same
// decision may be taken again, to repeat what did not follow from it the first time.
func (s *store) decide(ctx context.Context, id string, approved bool) (Proposal, error) {
	return s.one(ctx, "UPDATE proposals SET approved = $2, status = '"+decided+"' "+
		"WHERE id = $1 AND (status = '"+pending+"' OR approved = $2) RETURNING "+columns, id, approved)
}

func (s *store) remove(ctx context.Context, id string) (Proposal, error) {
	return s.one(ctx, "DELETE FROM proposals WHERE id = $1 RETURNING "+columns, id)
}

// one is the single row of a statement, or errNone.
func (s *store) one(ctx context.Context, statement string, values ...any) (Proposal, error) {
	rows, err := s.pool.Query(ctx, statement, values...)
	if err != nil {
		return Proposal{}, fmt.Errorf("PostgreSQL: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, proposal)
	if errors.Is(err, pgx.ErrNoRows) {
		return Proposal{}, errNone
	}
	if err != nil {
		return Proposal{}, fmt.Errorf("PostgreSQL: %w", err)
	}
	return found, nil
}

func proposal(row pgx.CollectableRow) (Proposal, error) {
	var p Proposal
	return p, row.Scan(&p.ID, &p.Title, &p.Description, &p.Author, &p.Email, &p.Approved, &p.Status.Status)
}
