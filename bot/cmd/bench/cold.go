package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

const coldRuns = 61

// birth is how long a process took from its spawn.
type birth struct{ poll, answer float64 } // milliseconds

// coldStart measures from spawn to the first poll, and on to the first answer
// of a signed `/ec2-pass help`, against a function that does nothing.
func coldStart(ctx context.Context, w *workshop) ([]row, error) {
	program, err := w.release(ctx, bootstrapPackage)
	if err != nil {
		return nil, err
	}
	empty, err := w.release(ctx, emptyPackage)
	if err != nil {
		return nil, err
	}
	env, err := w.environment()
	if err != nil {
		return nil, err
	}
	ours := func() (birth, error) { return bear(ctx, program, env, helpAnswered) }
	theirs := func() (birth, error) { return bear(ctx, empty, env, nil) }
	if _, _, err := rounds(2, ours, theirs); err != nil { // brings the files into memory
		return nil, err
	}
	o, t, err := rounds(coldRuns, ours, theirs)
	if err != nil {
		return nil, err
	}
	const against = "empty aws-lambda-go handler"
	first, ratio := compare("cold start: spawn → first poll", against, "%.2f ms", polls(o), polls(t))
	answer, _ := compare("cold start: spawn → signed /ec2-pass help answered", against, "%.2f ms", answers(o), answers(t))
	return []row{first.judge(ratio, reach{atMost: 1.6, format: "%.2f×"}), answer}, nil
}

func polls(all []birth) (ms []float64) {
	for _, b := range all {
		ms = append(ms, b.poll)
	}
	return ms
}

func answers(all []birth) (ms []float64) {
	for _, b := range all {
		ms = append(ms, b.answer)
	}
	return ms
}

// bear runs the program until it has answered one invocation.
func bear(ctx context.Context, program string, env map[string]string, check func([]byte) error) (b birth, err error) {
	payload, err := helpEvent()
	if err != nil {
		return b, err
	}
	api, err := startRuntimeAPI(payload)
	if err != nil {
		return b, err
	}
	defer api.Close()
	env = maps.Clone(env)
	env["AWS_LAMBDA_RUNTIME_API"] = api.addr
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	var said bytes.Buffer
	cmd.Env, cmd.Stderr = pairs(env), &said
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return b, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return b, fmt.Errorf("%s ended before it answered: %w\n%s", program, err, said.String())
	case answer := <-api.answered:
		b.poll = milliseconds((<-api.polled).Sub(begin))
		b.answer = milliseconds(answer.at.Sub(begin))
		if !answer.ok {
			err = fmt.Errorf("%s answered with an error: %s", program, answer.body)
		} else if check != nil {
			err = check(answer.body)
		}
	}
	cancel()
	<-ended
	return b, err
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// helpEvent is a function URL's request with a signed `/ec2-pass help` in it:
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
func helpEvent() ([]byte, error) {
	body := slash("help")
	headers := map[string]string{
		"host": "bench.lambda-url.eu-central-1.on.aws", "accept": "application/json,*/*", "x-forwarded-proto": "https",
	}
	for name, values := range signed(body) {
		headers[strings.ToLower(name)] = values[0]
	}
	return json.Marshal(events.LambdaFunctionURLRequest{
		Version: "2.0", RawPath: "/slack/commands", Headers: headers,
		RequestContext: events.LambdaFunctionURLRequestContext{
			AccountID: "anonymous", APIID: "bench", DomainName: "bench.lambda-url.eu-central-1.on.aws",
			HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{
				Method: "POST", Path: "/slack/commands", Protocol: "HTTP/1.1", SourceIP: "192.0.2.1",
			},
		},
		Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: true,
	})
}

// helpText is in every answer to `/ec2-pass help`.
const helpText = "How to use /ec2-pass"

func helpAnswered(body []byte) error {
	var answer events.LambdaFunctionURLResponse
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if answer.StatusCode != 200 || !strings.Contains(answer.Body, helpText) {
		return errors.New("not the help page: " + string(body))
	}
	return nil
}
