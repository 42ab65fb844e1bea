package sesmail

import (
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
)

// way is the SDK's HTTP client for one request.
type way struct {
	sesv2.HTTPClient
	// used: the request may have gone out. It has not where no connection was
	// made: no name was found, nobody listened, TLS failed.
	used atomic.Bool
}

// Do takes a client that tells nothing of its connections to have used one.
func (w *way) Do(r *http.Request) (*http.Response, error) {
	w.used.Store(true)
	return w.HTTPClient.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { w.used.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { w.used.Store(true) },
	})))
}
