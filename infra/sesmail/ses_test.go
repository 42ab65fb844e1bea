package sesmail_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/auth/report"
	"sekisho/infra/sesmail"
)

// ses is a server that answers from a script, one answer a connection and the
// last one for good. Its network is memory, so that it works in synctest bubbles.
type ses struct {
	script []answer
	calls  chan net.Conn

	mu    sync.Mutex
	dials int
	got   []request
}

// request is what SendEmail sends.
type request struct {
	FromEmailAddress     string
	Destination          struct{ ToAddresses []string }
	ConfigurationSetName string
	Content              struct{ Raw struct{ Data []byte } }
}

// answer is a body; or what goes wrong.
type answer struct {
	status int // 0: 200
	code   string
	body   string
	lost   bool // the connection breaks once the mail was read
	hangs  bool
	nobody bool // listens
	noTLS  bool // the connection is made, and breaks before it is safe
}

var taken = answer{body: `{"MessageId":"id-of-ses"}`}

func refused(status int, code, message string) answer {
	body, _ := json.Marshal(map[string]string{"message": message})
	return answer{status: status, code: code, body: string(body)}
}

// inWorld runs a test in a bubble, whose clock moves only when everything waits.
func inWorld(t *testing.T, test func(*testing.T, *sesmail.Mailer, *ses), script ...answer) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &ses{script: script, calls: make(chan net.Conn)}
		server := &http.Server{Handler: s}
		go server.Serve(s)
		defer server.Close()
		test(t, sesmail.New(s.config()), s)
	})
}

// config tempts the SDK to try again.
func (s *ses) config() aws.Config {
	scheme := "http"
	if s.script[0].noTLS {
		scheme = "https"
	}
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(scheme + "://ses.test"),
		RetryMaxAttempts: 4, RetryMode: aws.RetryModeAdaptive,
		HTTPClient:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: s.dial}},
		Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTSELF", "test-secret-key", "test-session"),
	}
}

func (s *ses) now() answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script[0]
}

func (s *ses) next() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.script) > 1 {
		s.script = s.script[1:]
	}
}

func (s *ses) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	if s.now().nobody {
		s.next()
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
	}
	here, there := net.Pipe()
	if s.now().noTLS {
		return here, there.Close()
	}
	s.calls <- there
	return here, nil
}

func (s *ses) Accept() (net.Conn, error) {
	if c, open := <-s.calls; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (s *ses) Close() error   { close(s.calls); return nil }
func (s *ses) Addr() net.Addr { return &net.UnixAddr{Name: "ses.test", Net: "unix"} }

func (s *ses) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var got request
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method+r.URL.Path != "POST/v2/email/outbound-emails" || json.Unmarshal(body, &got) != nil {
		http.Error(w, "no SendEmail", http.StatusTeapot)
		return
	}
	now := s.now()
	s.next()
	s.mu.Lock()
	s.got = append(s.got, got)
	s.mu.Unlock()
	switch {
	case now.lost:
		panic(http.ErrAbortHandler)
	case now.hangs:
		<-r.Context().Done()
		return
	}
	if now.code != "" {
		w.Header().Set("X-Amzn-ErrorType", now.code)
	}
	if now.status != 0 {
		w.WriteHeader(now.status)
	}
	io.WriteString(w, now.body)
}

// seen is what was sent, and over how many connections.
func (s *ses) seen() (got []request, dials int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got, s.dials
}

func mail() report.Mail {
	return report.Mail{
		From: "bot@example.com", To: []string{"Ann <ann@example.com>", "ben@example.org"},
		Subject: "Sekisho report", Text: "all is well", HTML: "<p>all is well</p>",
	}
}

func TestSend(t *testing.T) {
	for set, from := range map[string]string{"": "bot@example.com", "reports": `"Sekisho 関所" <bot@example.com>`} {
		inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
			mail := mail()
			mail.From, mail.ConfigurationSet = from, set
			id, err := m.Send(t.Context(), mail)
			all, _ := s.seen()
			if id != "id-of-ses" || err != nil || len(all) != 1 {
				t.Fatalf("id %q, error %v, %d requests", id, err, len(all))
			}
			got := all[0]
			if want := []string{"ann@example.com", "ben@example.org"}; !slices.Equal(got.Destination.ToAddresses, want) {
				t.Errorf("sent to %q, want %q", got.Destination.ToAddresses, want)
			}
			if got.ConfigurationSetName != set {
				t.Errorf("configuration set %q, want %q", got.ConfigurationSetName, set)
			}
			read := parsed(t, got.Content.Raw.Data)
			sender, err := read.Header.AddressList("From")
			if err != nil || got.FromEmailAddress != from && got.FromEmailAddress != sender[0].String() {
				t.Errorf("SES is told the sender %q, the mail %q (%v)", got.FromEmailAddress, sender, err)
			}
		}, taken)
	}
}

// Whatever happens, SES is never sent again what it may have taken.
func TestWhatIsTriedAgain(t *testing.T) {
	throttled := refused(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
	nobody := answer{nobody: true}
	for what, c := range map[string]struct {
		script   []answer
		sent     bool
		unsure   bool
		requests int
		dials    int
	}{
		"taken":                         {script: []answer{taken}, sent: true, requests: 1, dials: 1},
		"throttled, then taken":         {script: []answer{throttled, throttled, taken}, sent: true, requests: 3, dials: 3},
		"throttled by another code":     {script: []answer{{status: 400, code: "ThrottlingException"}, taken}, sent: true, requests: 2, dials: 2},
		"throttled without a code":      {script: []answer{{status: 429}, taken}, sent: true, requests: 2, dials: 2},
		"throttled for good":            {script: []answer{throttled}, requests: 5, dials: 5},
		"nobody listens, then somebody": {script: []answer{nobody, nobody, taken}, sent: true, requests: 1, dials: 3},
		"nobody listens":                {script: []answer{nobody}, dials: 5},
		"no TLS":                        {script: []answer{{noTLS: true}}, dials: 5},
		"answer lost":                   {script: []answer{{lost: true}, taken}, unsure: true, requests: 1, dials: 1},
		"throttled, then answer lost":   {script: []answer{throttled, {lost: true}, taken}, unsure: true, requests: 2, dials: 2},
		"hangs":                         {script: []answer{{hangs: true}, taken}, unsure: true, requests: 1, dials: 1},
		"answer cut short":              {script: []answer{{body: `{"Mess`}, taken}, unsure: true, requests: 1, dials: 1},
		"answer without an id":          {script: []answer{{body: `{}`}, taken}, unsure: true, requests: 1, dials: 1},
		"broken":                        {script: []answer{{status: 500, code: "InternalFailure"}, taken}, unsure: true, requests: 1, dials: 1},
		"away":                          {script: []answer{{status: 503, body: "<html>"}, taken}, unsure: true, requests: 1, dials: 1},
		"too slow for a gateway":        {script: []answer{{status: 504}, taken}, unsure: true, requests: 1, dials: 1},
		"expired credentials":           {script: []answer{{status: 403, code: "ExpiredTokenException"}, taken}, requests: 1, dials: 1},
		"a proxy's refusal":             {script: []answer{{status: 403, body: "<html>"}, taken}, requests: 1, dials: 1},
	} {
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				id, err := m.Send(ctx, mail())
				if sent := id == "id-of-ses" && err == nil; sent != c.sent || errors.Is(err, report.ErrUnsure) != c.unsure {
					t.Errorf("id %q, error %v", id, err)
				}
				if refusal, is := errors.AsType[*report.MailRefusal](err); is {
					t.Errorf("a refusal: %v", refusal)
				}
				if got, dials := s.seen(); len(got) != c.requests || dials != c.dials {
					t.Errorf("%d requests over %d connections, want %d over %d", len(got), dials, c.requests, c.dials)
				}
				if took := time.Since(began); took > 10*time.Second && what != "hangs" {
					t.Errorf("it took %v", took)
				}
				noSecrets(t, err)
			}, c.script...)
		})
	}
}

// What SES said last is told, and nothing is begun any more.
func TestTheCallersTimeEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := m.Send(ctx, mail())
		if err == nil || errors.Is(err, report.ErrUnsure) || !strings.Contains(err.Error(), "Maximum sending rate") {
			t.Errorf("while it waits: %v", err)
		}
		if _, err = m.Send(ctx, mail()); err == nil || errors.Is(err, report.ErrUnsure) {
			t.Errorf("before it begins: %v", err)
		}
		if got, _ := s.seen(); len(got) != 1 {
			t.Errorf("%d requests, want one", len(got))
		}
	}, refused(429, "TooManyRequestsException", "Maximum sending rate exceeded."))
}

type silent struct{}

func (silent) Do(*http.Request) (*http.Response, error) { return nil, errors.New("broken") }

type locked struct{}

func (locked) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("no credentials here")
}

func TestWhatIsNotKnownOfTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&ses{script: []answer{taken}}).config()
		c.HTTPClient = silent{}
		if _, err := sesmail.New(c).Send(t.Context(), mail()); !errors.Is(err, report.ErrUnsure) {
			t.Errorf("a client that tells nothing: %v", err)
		}
		c.Credentials = locked{}
		if _, err := sesmail.New(c).Send(t.Context(), mail()); err == nil || errors.Is(err, report.ErrUnsure) {
			t.Errorf("without credentials: %v", err)
		}
	})
}

func noSecrets(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"test-secret", "test-session", "Signature="} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds %q: %v", secret, err)
		}
	}
}

func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}
