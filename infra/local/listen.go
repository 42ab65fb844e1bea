package local

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"time"
)

//go:embed page
var files embed.FS

const (
	queueName  = "sekisho-events"
	deadName   = "sekisho-events-dead"
	visibility = 30 * time.Second // how long a message is hidden from others once it was received
	maxReceive = 5                // then it goes to the dead-letter queue
)

// Listen opens the world at a loopback address ("127.0.0.1:4000"; port 0 takes a free one) and returns where it is:
// the page at base+"/", Slack under base+"/slack/", AWS under base+"/aws/". Then the events of its rules flow into the queue, and
// the schedule begins. It is called once.
func (w *World) Listen(addr string) (base string, err error) {
	if w.server != nil {
		return "", fmt.Errorf("local world: it listens already, at %s", w.base)
	}
	if err := onlyLoopback(addr); err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("local world: %w", err)
	}
	w.base = "http://" + listener.Addr().String()

	w.Slack.Serve(w.base + "/slack")
	w.AWS.SetBaseURL(w.base + "/aws")
	w.queue = w.AWS.CreateQueue(queueName, visibility, deadName, maxReceive)
	w.aimEvents()
	w.loops.Go(w.schedule)

	w.server = &http.Server{
		Handler:           w.handler(listener.Addr().(*net.TCPAddr).Port),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return w.ctx },
	}
	w.loops.Go(func() { w.server.Serve(listener) }) // ends with Close; a page that cannot be reached says so itself
	return w.base, nil
}

// onlyLoopback refuses addresses that others could reach: whoever reaches this page can act as anybody in it.
func onlyLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("local world: %w (an address looks like 127.0.0.1:4000)", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("local world: %q can be reached by others, who could act as anybody here: listen on 127.0.0.1", addr)
	}
	return nil
}

func (w *World) handler(port int) http.Handler {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic("local: the page is not embedded: " + err.Error()) // unreachable
	}
	own := http.NewServeMux() // what a browser asks for
	own.Handle("GET /", http.FileServerFS(page))
	own.HandleFunc("GET /world/stream", w.serveStream)
	own.HandleFunc("GET /world/files/{id}", w.serveFile)
	own.HandleFunc("GET /world/mail/{id}", w.withMail(serveLetter))
	own.HandleFunc("GET /world/mail/{id}/html", w.withMail(serveLetterHTML))
	own.HandleFunc("GET /world/mail/{id}/source", w.withMail(serveLetterSource))
	own.HandleFunc("GET /world/mail/{id}/part/{part}", w.withMail(serveLetterPart))
	own.HandleFunc("POST /world/mail/bounce", act(w.bounce))
	own.HandleFunc("POST /world/command", act(w.command))
	own.HandleFunc("POST /world/click", act(w.click))
	own.HandleFunc("POST /world/home", act(w.openHome))
	own.HandleFunc("POST /world/shortcut", act(w.shortcut))
	own.HandleFunc("POST /world/press", act(w.press))
	own.HandleFunc("POST /world/submit", act(w.submit))
	own.HandleFunc("POST /world/close", act(w.closeView))
	own.HandleFunc("POST /world/ec2", act(w.ec2))
	own.HandleFunc("POST /world/iam", act(w.iam))
	own.HandleFunc("POST /world/schedule", act(w.runNow))
	own.HandleFunc("POST /world/fault", act(w.fault))

	mux := http.NewServeMux()
	mux.Handle("/slack/", http.StripPrefix("/slack", w.Slack.Handler()))
	mux.Handle("/aws/", http.StripPrefix("/aws", w.AWS.Handler()))
	mux.Handle("/", browsersOnly(port, own))
	return mux
}

// contentPolicy lets the page use its own files and nothing else, whatever a message contains.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// browsersOnly keeps other sites out, which a browser on this machine could be made to visit: a foreign Host is DNS
// rebinding, and a POST must be JSON from this very page, which no form or foreign script can send.
func browsersOnly(port int, next http.Handler) http.Handler {
	hosts := map[string]bool{}
	for _, name := range []string{"127.0.0.1", "localhost", "[::1]"} {
		hosts[fmt.Sprintf("%s:%d", name, port)] = true
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if err := sameSite(hosts, r); err != nil {
			writeRefusal(rw, http.StatusForbidden, "forbidden", err.Error())
			return
		}
		next.ServeHTTP(rw, r)
	})
}

func sameSite(hosts map[string]bool, r *http.Request) error {
	if !hosts[r.Host] {
		return fmt.Errorf("this page is served to 127.0.0.1 and localhost only, not to %q", r.Host)
	}
	if r.Method != http.MethodPost {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return errors.New("the Content-Type must be application/json")
	}
	if r.Header.Get("Origin") != "http://"+r.Host {
		return errors.New("the request must come from this page (Origin)")
	}
	return nil
}
