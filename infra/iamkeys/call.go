package iamkeys

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
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v5"
)

// call is one kind of request to one service. STS and Config are asked one
// question each, and without their SDK packages, of which each would add 5 % to
// every cold start, the front door's included: see `make bench`.
type call struct {
	config      aws.Config
	service     string // as it stands in the signature and the host's name
	contentType string
	target      string // of a JSON service; else empty
}

// answerAtMost is more than either answer is long.
const answerAtMost = 1 << 20

// isRegion says whether the text may stand in a host's name: regions come with
// events, which anybody may have written.
func isRegion(text string) bool {
	return text != "" && len(text) < 40 && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
	})
}

// send asks, three times where AWS is busy or cannot be reached. What AWS
// refuses is a smithy.APIError, as the SDK's is.
func (c call) send(ctx context.Context, region, body string) ([]byte, error) {
	if !isRegion(region) {
		return nil, fmt.Errorf("%.40q is no AWS region", region)
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

func (c call) once(ctx context.Context, region, body string) (answer []byte, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(region), strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Content-Type", c.contentType)
	if c.target != "" {
		r.Header.Set("X-Amz-Target", c.target)
	}
	signer, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the bot's own AWS credentials: %w", err)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, signer, r, hex.EncodeToString(sum[:]), c.service, region, time.Now()); err != nil {
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

func (c call) url(region string) string {
	if base := aws.ToString(c.config.BaseEndpoint); base != "" {
		return base
	}
	host := "https://" + c.service + "." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		host += ".cn"
	}
	return host + "/"
}

// slow has a deadline, for configurations that bring no client of their own.
var slow = &http.Client{Timeout: 10 * time.Second}

func (c call) client() aws.HTTPClient {
	if c.config.HTTPClient != nil {
		return c.config.HTTPClient
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
