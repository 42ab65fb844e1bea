// Package awscall asks an AWS service one question, signed, and without the
// service's SDK package: each of those would add 5 % to every cold start, the
// front door's included (see `make bench`). It knows no service by itself.
package awscall

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/cenkalti/backoff/v5"
)

// What the body of a question may be.
const (
	Form = "application/x-www-form-urlencoded; charset=utf-8" // of the query protocol, which answers in XML
	JSON = "application/x-amz-json-1.1"
)

// Call is one kind of question to one service.
type Call struct {
	Config      aws.Config
	Service     string // as it stands in the signature and the host's name
	ServiceID   string // as the SDK has it, such as "Config Service"
	ContentType string
	Target      string // of a JSON service; else empty
}

// Partition is that of the Region.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// answerAtMost is more than any of the answers is long.
const answerAtMost = 1 << 20

// IsRegion says whether the text may stand in a host's name: regions come with
// events, which anybody may have written.
func IsRegion(text string) bool {
	return text != "" && len(text) < 40 && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
	})
}

// Send asks, three times where AWS is busy or cannot be reached. What AWS
// refuses is a smithy.APIError, as the SDK's is. Of the configuration's APIOptions
// those count that stand around a whole operation (the step Initialize).
func (c Call) Send(ctx context.Context, region, body string) ([]byte, error) {
	stack := middleware.NewStack(c.ServiceID, func() any { return nil })
	for _, option := range c.Config.APIOptions {
		if err := option(stack); err != nil {
			return nil, err
		}
	}
	send := middleware.HandlerFunc(func(ctx context.Context, _ any) (any, middleware.Metadata, error) {
		answer, err := c.send(ctx, region, body)
		return answer, middleware.Metadata{}, err
	})
	answer, _, err := stack.Initialize.HandleMiddleware(awsmiddleware.SetServiceID(ctx, c.ServiceID), body, send)
	text, _ := answer.([]byte)
	return text, err
}

func (c Call) send(ctx context.Context, region, body string) ([]byte, error) {
	if !IsRegion(region) {
		return nil, fmt.Errorf("%.40q is no AWS region", region)
	}
	if c.Config.Credentials == nil {
		return nil, errors.New("the bot has no AWS credentials of its own")
	}
	return backoff.Retry(ctx, func() ([]byte, error) {
		answer, status, err := c.once(ctx, region, body)
		if err == nil && status != http.StatusOK {
			err = refusal(answer, status)
			if status < 500 && status != http.StatusTooManyRequests && !strings.Contains(err.Error(), "Throttling") {
				err = backoff.Permanent(err)
			}
		}
		return answer, err
	}, backoff.WithMaxTries(3))
}

func (c Call) once(ctx context.Context, region, body string) (answer []byte, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(region), strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Content-Type", c.ContentType)
	if c.Target != "" {
		r.Header.Set("X-Amz-Target", c.Target)
	}
	signer, err := c.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the bot's own AWS credentials: %w", err)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, signer, r, hex.EncodeToString(sum[:]), c.Service, region, time.Now()); err != nil {
		return nil, 0, err
	}
	resp, err := c.client().Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, answerAtMost))
	return answer, resp.StatusCode, err
}

func (c Call) url(region string) string {
	if base := aws.ToString(c.Config.BaseEndpoint); base != "" {
		return base
	}
	host := "https://" + c.Service + "." + region + ".amazonaws.com"
	if Partition(region) == "aws-cn" {
		host += ".cn"
	}
	return host + "/"
}

// slow has a deadline, for configurations that bring no client of their own.
var slow = &http.Client{Timeout: 10 * time.Second}

func (c Call) client() aws.HTTPClient {
	if c.Config.HTTPClient != nil {
		return c.Config.HTTPClient
	}
	return slow
}

// refusal reads either protocol's error.
func refusal(answer []byte, status int) error {
	var query struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	if xml.Unmarshal(answer, &query) == nil && query.Code != "" {
		return &smithy.GenericAPIError{Code: query.Code, Message: query.Message}
	}
	var plain struct {
		Code    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &plain) == nil && plain.Code != "" {
		_, code, found := strings.Cut(plain.Code, "#")
		if !found {
			code = plain.Code
		}
		return &smithy.GenericAPIError{Code: code, Message: plain.Message}
	}
	return errors.New("AWS answered " + http.StatusText(status) + ", in words that are not its own")
}
