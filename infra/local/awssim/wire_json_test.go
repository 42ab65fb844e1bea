package awssim_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"sekisho/infra/local/awssim"
)

// byHand makes a signed call of what no SDK would send. The target is of the JSON protocol, or empty.
func (w *world) byHand(t *testing.T, method, path, service, target, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(body))
	wantOK(t, err)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	r.Header.Set("X-Amz-Date", "20260304T050607Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKey+"/20260304/eu-central-1/"+service+
		"/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	answer, err := w.server.Client().Do(r)
	wantOK(t, err)
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	wantOK(t, err)
	return answer.StatusCode, string(got)
}

// What the SDKs can't send: parameters that aren't modelled, and bodies that aren't JSON.
func TestJSONServicesRefuseWhatTheyDoNotKnow(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.PutSecret("s", "text-of-a-test-secret")
	for _, tt := range []struct{ service, target, body, says string }{
		{"events", "AWSEvents.ListRules", `{"Colour":"red"}`, `"SerializationException"`},
		{"events", "AWSEvents.ListRules", `{"Limit":"1"}`, `"SerializationException"`},
		{"secretsmanager", "secretsmanager.GetSecretValue", `{"SecretId":"s","SecretColour":1}`, `"SerializationException"`},
		{"secretsmanager", "secretsmanager.GetSecretValue", `{`, `"SerializationException"`},
		{"ssm", "AmazonSSM.GetParameter", `{"Name":"p","Colour":1}`, `"SerializationException"`},
		{"ssm", "AmazonSSM.PutParameter", `{}`, `"UnknownOperationException"`},
		{"events", "AmazonSSM.GetParameter", `{"Name":"p"}`, `"SignatureDoesNotMatch"`},
	} {
		status, text := w.byHand(t, http.MethodPost, "/", tt.service, tt.target, tt.body)
		if status != http.StatusBadRequest || !strings.Contains(text, tt.says) {
			t.Errorf("%s %s: %d %s, want 400 and %s", tt.target, tt.body, status, text, tt.says)
		}
	}
}
