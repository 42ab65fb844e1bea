package lambdasim

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// runtimeAPI is the side of Lambda that a function's process talks to.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (b *sandbox) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", b.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", b.serveResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", b.serveError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", b.serveInitError)
	return mux
}

func (b *sandbox) serveNext(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	busy := b.current != nil
	b.mu.Unlock()
	if busy {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the last invocation is not answered")
		return
	}
	select {
	case b.asked <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	select {
	case i := <-b.work:
		b.mu.Lock()
		b.current = i
		b.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", b.f.arn())
		h.Set("Lambda-Runtime-Trace-Id", traceID())
		w.Write(i.payload)
	case <-r.Context().Done():
	}
}

// traceID is an X-Ray trace header's value, not sampled.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func traceID() string {
	var b [20]byte
	rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), hex.EncodeToString(b[:12]), hex.EncodeToString(b[12:]))
}

func (b *sandbox) serveResponse(w http.ResponseWriter, r *http.Request) {
	b.answer(w, r, func(i *invocation, body []byte) outcome {
		if len(body) > maxPayload {
			return outcome{err: fault(i, "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload)}
		}
		return outcome{answer: body}
	})
}

func (b *sandbox) serveError(w http.ResponseWriter, r *http.Request) {
	b.answer(w, r, func(_ *invocation, body []byte) outcome { return outcome{err: readError(body)} })
}

// answer ends the current invocation; a late or a second answer is refused.
func (b *sandbox) answer(w http.ResponseWriter, r *http.Request, read func(*invocation, []byte) outcome) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return // the process has gone
	}
	b.mu.Lock()
	i := b.current
	if i == nil || i.id != r.PathValue("id") {
		b.mu.Unlock()
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no invocation with this id waits for an answer")
		return
	}
	b.current = nil
	b.mu.Unlock()
	i.answered <- read(i, body)
	if len(body) > maxPayload {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("more than %d bytes", maxPayload))
		return
	}
	accept(w)
}

func (b *sandbox) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload))
	if err != nil {
		return // the process has gone
	}
	select {
	case b.failed <- readError(body):
		accept(w)
	default:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "this was said already")
	}
}

func accept(w http.ResponseWriter) {
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"errorType": kind, "errorMessage": message}) // a process that has gone needs no answer
}
