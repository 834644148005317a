// Package info answers what every service has in common: who it is, and that it is alive.
package info

import (
	"net/http"
	"os"
	"strings"

	"knative-releases/offline/conference/internal/web"
)

// Info is the answer of /service/info, by which a release tells the versions apart.
type Info struct {
	Name              string `json:"name"`
	Version           string `json:"version"`
	Source            string `json:"source"`
	PodName           string `json:"podName"`
	PodNamespace      string `json:"podNamespace"`
	PodNodeName       string `json:"podNodeName"`
	PodIP             string `json:"podIp"`
	PodServiceAccount string `json:"podServiceAccount"`
}

const upstream = "https://github.com/salaboy/platforms-on-k8s/tree/"

// FromEnvironment describes a service by its name, its version and the pod that it runs in.
func FromEnvironment(service, version string) Info {
	name := strings.ToUpper(strings.TrimSuffix(service, "-service"))
	branch := "main"
	if version != "1.0.0" {
		branch = "v" + version
		if service == "notifications-service" {
			name = "NOTIFICATIONS-IMPROVED"
		}
	}
	return Info{
		Name:              name,
		Version:           version,
		Source:            "stand-in for " + upstream + branch + "/conference-application/" + service,
		PodName:           os.Getenv("POD_NAME"),
		PodNamespace:      os.Getenv("POD_NAMESPACE"),
		PodNodeName:       os.Getenv("POD_NODENAME"),
		PodIP:             os.Getenv("POD_IP"),
		PodServiceAccount: os.Getenv("POD_SERVICE_ACCOUNT"),
	}
}

// Routes adds /service/info (the frontend's is /api/service/info) and the health checks.
// None of them asks a store: they are the target of load tests, and a store that is briefly away is no reason
// to restart the service.
func (i Info) Routes(mux *http.ServeMux) {
	path := "/service/info"
	if i.Name == "FRONTEND" {
		path = "/api/service/info"
	}
	mux.Handle("GET "+path, web.Constant(i))
	up := web.Constant(map[string]string{"status": "UP"})
	mux.Handle("GET /health/readiness", up)
	mux.Handle("GET /health/liveness", up)
}
