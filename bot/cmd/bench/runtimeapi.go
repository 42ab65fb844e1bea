package main

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// runtimeAPI is the side of Lambda that a function talks to, for one process
// and one invocation: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	addr     string // for AWS_LAMBDA_RUNTIME_API
	server   *http.Server
	payload  []byte
	polled   chan time.Time // takes one
	answered chan response  // takes one
}

type response struct {
	at   time.Time
	ok   bool // not an error
	body []byte
}

// startRuntimeAPI gives the payload to the first process that asks for work.
func startRuntimeAPI(payload []byte) (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{
		addr: l.Addr().String(), payload: payload,
		polled: make(chan time.Time, 1), answered: make(chan response, 1),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{what}", a.serveAnswer)
	a.server = &http.Server{Handler: mux}
	go a.server.Serve(l)
	return a, nil
}

// Close ends the server.
func (a *runtimeAPI) Close() error { return a.server.Close() }

func (a *runtimeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	select {
	case a.polled <- now:
	default:
		<-r.Context().Done() // there is no second invocation
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000001")
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(now.Add(time.Minute).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:111122223333:function:sekisho-door")
	w.Write(a.payload)
}

func (a *runtimeAPI) serveAnswer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	a.answered <- response{time.Now(), err == nil && r.PathValue("what") == "response", body}
	w.WriteHeader(http.StatusAccepted)
}
