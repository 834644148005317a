// Package frontend serves the conference's page, the way to the other services, and the events read from Kafka.
package frontend

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"

	"knative-releases/offline/conference/internal/env"
	"knative-releases/offline/conference/internal/events"
	"knative-releases/offline/conference/internal/info"
	"knative-releases/offline/conference/internal/web"
)

// A service that is scaled to zero answers after it has started; c4p may itself wait for two such services.
const answerLimit = 3 * time.Minute

// The services behind the frontend: path below /api/ to the variable with their URL.
var behind = map[string]string{
	"c4p":           "C4P_SERVICE_URL",
	"agenda":        "AGENDA_SERVICE_URL",
	"notifications": "NOTIFICATIONS_SERVICE_URL",
}

// Service is the frontend.
type Service struct {
	page     []byte
	debug    bool
	proxies  map[string]http.Handler
	log      *eventLog
	consumer *events.Consumer
}

// New connects to Kafka. The services behind it need not be up: they may be scaled to zero.
func New(ctx context.Context, about info.Info) (*Service, error) {
	debug := os.Getenv("FEATURE_DEBUG_ENABLED") == "true"
	proxies, err := proxiesFromEnvironment()
	if err != nil {
		return nil, err
	}
	page, err := render(about.Version, debug)
	if err != nil {
		return nil, err
	}
	log := &eventLog{}
	consumer, err := events.Consume(ctx, log.add)
	if err != nil {
		return nil, err
	}
	return &Service{page: page, debug: debug, proxies: proxies, log: log, consumer: consumer}, nil
}

// Routes adds the page and everything below /api/, but for /api/service/info.
func (s *Service) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.Handle("GET /api/events/{$}", web.Endpoint(s.log.list))
	mux.Handle("POST /api/events/{$}", web.Endpoint(s.log.post))
	mux.Handle("GET /api/features/", web.Constant(map[string]bool{"DebugEnabled": s.debug}))
	for name, proxy := range s.proxies {
		mux.Handle("/api/"+name+"/", http.StripPrefix("/api/"+name, proxy))
	}
}

// Close leaves the consumer group.
func (s *Service) Close() { s.consumer.Close() }

func (s *Service) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// The same URL serves two versions during a release.
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(s.page); err != nil {
		slog.Warn("the caller went away before the page was written", "error", err)
	}
}

func proxiesFromEnvironment() (map[string]http.Handler, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerLimit
	proxies := map[string]http.Handler{}
	for name, variable := range behind {
		text, err := env.Required(variable)
		if err != nil {
			return nil, err
		}
		target, err := url.Parse(text)
		if err != nil || target.Host == "" {
			return nil, fmt.Errorf("%s is %q, want a URL such as http://%s-service", variable, text, name)
		}
		proxies[name] = proxyTo(target, transport)
	}
	return proxies, nil
}

func proxyTo(target *url.URL, transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			// Knative's own words about this request to the frontend; on the next request they would be wrong.
			r.Out.Header.Del("Knative-Serving-Namespace")
			r.Out.Header.Del("Knative-Serving-Revision")
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			web.Endpoint(func(*http.Request) (int, any, error) {
				return 0, nil, web.Wrong(http.StatusBadGateway, "%s cannot be reached: %v", target, err)
			}).ServeHTTP(w, r)
		},
	}
}
