package wire

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"sekisho/auth/measure"
	"sekisho/infra/metrics"
)

// watched has failed calls of other services counted, those that the program
// itself gave up apart.
type watched struct{ *metrics.Meter }

func (w watched) failed(service string, err error) {
	if !errors.Is(err, context.Canceled) {
		w.Count(measure.Errors, measure.By{service})
	}
}

func (w watched) redis(err error) { w.failed("Redis", err) }

// AWS has the clients made of these configurations count the operations that
// failed, after every try, by the SDK's name for the service.
func (w watched) AWS(config func(service string) aws.Config) func(service string) aws.Config {
	count := middleware.InitializeMiddlewareFunc("SekishoErrors", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		if err != nil && !isAnswer(err) {
			w.failed(awsmiddleware.GetServiceID(ctx), err)
		}
		return out, metadata, err
	})
	add := func(s *middleware.Stack) error { return s.Initialize.Add(count, middleware.After) }
	return func(service string) aws.Config {
		c := config(service)
		c.APIOptions = append(slices.Clip(c.APIOptions), add)
		return c
	}
}

// isAnswer says whether AWS's refusal tells how things are: that is how EC2 says
// that an instance has hardly begun to start and cannot be stopped yet.
func isAnswer(err error) bool {
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && refusal.ErrorCode() == "IncorrectInstanceState"
}

// slack is the client for Slack. It has a deadline: an answer that has not come
// in ten seconds is an error that the queue can try again. What Slack refuses in
// an answer of its own is no error here.
func (w watched) slack() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || answer.StatusCode >= http.StatusBadRequest {
			w.failed("Slack", err)
		}
		return answer, err
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Counting has what is made of these configurations besides count its failures
// as the App does.
func (a *App) Counting(config func(service string) aws.Config) func(service string) aws.Config {
	return watched{a.Meter}.AWS(config)
}

// flushEvery is CloudWatch's own step.
const flushEvery = time.Minute

// KeepFlushing flushes until ctx ends.
func (a *App) KeepFlushing(ctx context.Context) { keep(ctx, flushEvery, a.Flush) }

// Flush writes what was measured since it was last called, where anybody keeps
// the lines.
func (a *App) Flush() {
	if a.lines == nil {
		return
	}
	if err := a.Meter.Flush(a.lines); err != nil {
		a.Log.Warn("writing metrics", "error", err)
	}
}
