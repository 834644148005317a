package frontend

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func frontend(t *testing.T, version string, debug bool, target string) http.Handler {
	t.Helper()
	for _, variable := range behind {
		t.Setenv(variable, target)
	}
	proxies, err := proxiesFromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	page, err := render(version, debug)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	(&Service{page: page, debug: debug, proxies: proxies, log: &eventLog{}}).Routes(mux)
	return mux
}

func ask(handler http.Handler, method, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Knative-Serving-Revision", "frontend-1")
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)
	return response
}

func TestProxiesStripThePrefixAndAddressTheServiceBehind(t *testing.T) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method, " ", r.Host, r.URL, r.Header.Get("Knative-Serving-Revision"))
	}))
	defer behind.Close()
	handler := frontend(t, "1.0.0", false, behind.URL)
	host := strings.TrimPrefix(behind.URL, "http://")
	for path, want := range map[string]string{
		"/api/c4p/proposals/":                "/proposals/",
		"/api/agenda/agenda-items/a%2Fb?x=1": "/agenda-items/a%2Fb?x=1",
		"/api/notifications/service/info":    "/service/info",
	} {
		if got := ask(handler, "POST", path, "{}").Body.String(); got != "POST "+host+want {
			t.Errorf("%s: got %q, want %q", path, got, "POST "+host+want)
		}
	}
}

func TestAServiceThatIsAwayIsABadGateway(t *testing.T) {
	got := ask(frontend(t, "1.0.0", false, "http://127.0.0.1:1"), "GET", "/api/agenda/agenda-items/", "")
	if got.Code != http.StatusBadGateway || !strings.Contains(got.Body.String(), "127.0.0.1:1 cannot be reached") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

func TestThePageTellsItsVersionAndHidesTheDebugTab(t *testing.T) {
	for _, debug := range []bool{true, false} {
		handler := frontend(t, "1.1.0", debug, "http://127.0.0.1:1")
		page := ask(handler, "GET", "/", "").Body.String()
		if !strings.Contains(page, `<body data-version="1.1.0">`) || !strings.Contains(page, `c4p/proposals/`) {
			t.Errorf("the page is not complete: %s", page)
		}
		if strings.Contains(page, `data-tab="debug"`) != debug {
			t.Errorf("debug is %t, and the page's debug tab is there: %t", debug, !debug)
		}
		features := ask(handler, "GET", "/api/features/", "").Body.String()
		if features != fmt.Sprintf("{\"DebugEnabled\":%t}\n", debug) {
			t.Errorf("got %s", features)
		}
	}
}

func TestEventsThatArePostedAreListed(t *testing.T) {
	handler := frontend(t, "1.0.0", false, "http://127.0.0.1:1")
	if got := ask(handler, "POST", "/api/events/", `{"payload":"p","type":"t"}`); got.Code != http.StatusCreated {
		t.Fatalf("got %d %s", got.Code, got.Body)
	}
	if got := ask(handler, "GET", "/api/events/", "").Body.String(); !strings.Contains(got, `"payload":"p","type":"t"`) {
		t.Errorf("got %s", got)
	}
}
