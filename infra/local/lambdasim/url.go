package lambdasim

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

// URL is the function's URL (BUFFERED, without IAM): it makes an invocation of each request, payload format 2.0, and a
// response of the answer. A function error is 502, a throttled request 429.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
func (s *Service) URL(name string) http.Handler {
	f := s.function(name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
		if err != nil {
			urlError(w, http.StatusRequestEntityTooLarge, "Request Too Long")
			return
		}
		answer, err := s.Invoke(r.Context(), f.Name, mustJSON(urlRequest(r, body)))
		switch {
		case err == nil:
			writeAnswer(w, answer)
		case errors.Is(err, ErrThrottled):
			urlError(w, http.StatusTooManyRequests, "Rate Exceeded.")
		case errors.Is(err, ErrTooLarge): // as JSON, base64 and all
			urlError(w, http.StatusRequestEntityTooLarge, "Request Too Long")
		default:
			urlError(w, http.StatusBadGateway, "Internal Server Error")
		}
	})
}

func urlError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(mustJSON(map[string]string{"Message": message})) // a client that has gone needs no answer
}

func urlRequest(r *http.Request, body []byte) events.LambdaFunctionURLRequest {
	const id = "abcdefghij" // of the URL
	now := time.Now().UTC()
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	in := events.LambdaFunctionURLRequest{
		Version: "2.0", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host}, QueryStringParameters: joined(r.URL.Query()),
		RequestContext: events.LambdaFunctionURLRequestContext{
			AccountID: "anonymous", RequestID: uuid.NewString(), APIID: id,
			DomainName: id + ".lambda-url." + region + ".on.aws", DomainPrefix: id,
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
		},
	}
	for key, value := range joined(r.Header) {
		in.Headers[strings.ToLower(key)] = value
	}
	for _, c := range r.Cookies() {
		in.Cookies = append(in.Cookies, c.String())
	}
	in.Body, in.IsBase64Encoded = string(body), false
	if len(body) > 0 && !isText(r.Header.Get("Content-Type")) {
		in.Body, in.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return in
}

// joined puts several values of one name together with commas.
func joined(values map[string][]string) map[string]string {
	all := make(map[string]string, len(values))
	for key, several := range values {
		all[key] = strings.Join(several, ",")
	}
	return all
}

// isText says whether a body of this type is passed on as it is; a form is not.
func isText(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch kind {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// writeAnswer makes a response of what the function answered: a response in the format, or JSON that is itself the body.
func writeAnswer(w http.ResponseWriter, text []byte) {
	var answer events.LambdaFunctionURLResponse
	if err := json.Unmarshal(text, &answer); err != nil || answer.StatusCode == 0 {
		if !json.Valid(text) {
			urlError(w, http.StatusBadGateway, "Internal Server Error")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(text) // a client that has gone needs no answer
		return
	}
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(answer.Body); err != nil {
			urlError(w, http.StatusBadGateway, "Internal Server Error")
			return
		}
	}
	for key, value := range answer.Headers {
		w.Header().Set(key, value)
	}
	for _, c := range answer.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.WriteHeader(answer.StatusCode)
	w.Write(body) // a client that has gone needs no answer
}
