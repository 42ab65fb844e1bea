package secrets_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/infra/secrets"
)

const (
	botARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:sekisho/slack-AbCdEf"
	parARN = "arn:aws:ssm:eu-west-1:111122223333:parameter/sekisho/redis"
)

// vault is Secrets Manager and SSM, without a network.
type vault struct {
	mu      sync.Mutex
	secrets map[string]any       // by ARN or path: a text, []byte, or error (a code of AWS's)
	calls   []string             // "host target id"
	hangs   bool                 // until the caller gives up
	answers func() (int, string) // in place of all that
}

func (v *vault) put(id string, what any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets[id] = what
}

func (v *vault) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	defer v.mu.Unlock()
	var q struct {
		SecretID       string `json:"SecretId"`
		Name           string
		WithDecryption bool
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	target := r.Header.Get("X-Amz-Target")
	v.calls = append(v.calls, r.URL.Host+" "+target+" "+q.SecretID+q.Name)
	w := httptest.NewRecorder()
	if v.hangs {
		v.mu.Unlock()
		<-r.Context().Done()
		v.mu.Lock()
		return nil, r.Context().Err()
	}
	if v.answers != nil {
		status, text := v.answers()
		w.WriteHeader(status)
		io.WriteString(w, text)
		return w.Result(), nil
	}
	switch what := v.secrets[q.SecretID+q.Name].(type) {
	case string:
		if target == "AmazonSSM.GetParameter" && q.WithDecryption {
			fmt.Fprintf(w, `{"Parameter":{"Value":%q}}`, what)
		} else if target == "secretsmanager.GetSecretValue" {
			fmt.Fprintf(w, `{"SecretString":%q}`, what)
		}
	case []byte:
		fmt.Fprint(w, `{"SecretBinary":"AAAA"}`)
	case error: // in words that repeat what was asked
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"__type": "aws#" + what.Error(), "message": fmt.Sprint(string(body), r.Header)})
	default:
		w.WriteHeader(http.StatusBadRequest)
		code := map[bool]string{true: "ParameterNotFound", false: "ResourceNotFoundException"}[q.Name != ""]
		fmt.Fprintf(w, `{"__type":%q}`, code)
	}
	return w.Result(), nil
}

func (v *vault) source(env map[string]string) secrets.Source {
	return secrets.Source{
		Env: func(name string) string { return env[name] },
		AWS: func(string) aws.Config {
			return aws.Config{
				Region: "eu-central-1", HTTPClient: &http.Client{Transport: v},
				Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTTEST", "test-SPILT-key", "test-SPILT-session"),
			}
		},
		Now: time.Now, TTL: 5 * time.Minute,
	}
}

func read(t *testing.T, v *vault, env map[string]string) *secrets.Set {
	t.Helper()
	return secrets.Read(t.Context(), v.source(env), slices.Sorted(maps.Keys(env))...)
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEveryWayToGiveASecret(t *testing.T) {
	v := &vault{secrets: map[string]any{
		botARN: "plain\n", botARN + "2": `{"bot_token":"xoxb-test","port":6379,"none":null}`,
		parARN: "redis://test\r\n", "/sekisho/pepper": "pepper",
		"arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:x": "china",
		"arn:aws-us-gov:ssm:us-gov-west-1:111122223333:parameter/x":  "gov",
	}}
	for given, want := range map[string]string{
		"the value":              "the value",
		" kept as it is ":        " kept as it is ",
		"":                       "",
		botARN:                   "plain",
		botARN + ":::":           "plain",
		botARN + "2:bot_token":   "xoxb-test",
		botARN + "2:bot_token::": "xoxb-test", // as ECS writes it
		parARN:                   "redis://test",
		"ssm:/sekisho/pepper":    "pepper",
		"arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:x": "china",
		"arn:aws-us-gov:ssm:us-gov-west-1:111122223333:parameter/x":  "gov",
	} {
		v.calls = nil
		if got, err := read(t, v, map[string]string{"FOO": given}).Value("FOO"); got != want || err != nil {
			t.Errorf("%q: %q, %v", given, got, err)
		}
		switch {
		case !secrets.IsReference(given) && len(v.calls) > 0:
			t.Errorf("%q: AWS was asked %q", given, v.calls)
		case given == parARN && v.calls[0] != "ssm.eu-west-1.amazonaws.com AmazonSSM.GetParameter "+parARN,
			strings.Contains(given, "cn-north-1") && !strings.HasPrefix(v.calls[0], "secretsmanager.cn-north-1.amazonaws.com.cn secretsmanager.GetSecretValue "):
			t.Errorf("%q: AWS was asked %q", given, v.calls)
		}
	}
	got, err := secrets.Read(t.Context(), v.source(map[string]string{"FOO_FILE": file(t, "arn:a file's own text\n")}), "FOO").Value("FOO")
	if got != "arn:a file's own text" || err != nil {
		t.Errorf("a file: %q, %v", got, err)
	}
}

// What costs a start nothing unless it is used.
func TestPlainValuesNeedNoAWS(t *testing.T) {
	s := (&vault{}).source(map[string]string{"FOO": "plain"})
	s.AWS = func(string) aws.Config {
		t.Error("AWS's configuration was asked for")
		return aws.Config{}
	}
	set := secrets.Read(t.Context(), s, "FOO")
	if changed, err := renew(t.Context(), set); changed != nil || err != nil {
		t.Errorf("%q, %v", changed, err)
	}
}

// Every error names the variable and what to do, and never what stands there.
func TestErrorsSayWhatToDo(t *testing.T) {
	v := &vault{secrets: map[string]any{
		botARN: `{"bot_token":"SPILT","port":6379,"none":null}`, botARN + "text": "SPILT",
		botARN + "empty": " \n", botARN + "binary": []byte("SPILT"),
		"/none/empty": "\n", "/denied": errors.New("AccessDeniedException"), "/sick": errors.New("DecryptionFailure"),
		botARN + "denied": errors.New("AccessDeniedException"), botARN + "gone": errors.New("InvalidRequestException"),
		botARN + "signature": errors.New("InvalidSignatureException"), botARN + "odd": errors.New("test-SPILT-session in a code"),
	}}
	const slack = `the secret "sekisho/slack-AbCdEf`
	for given, want := range map[string]string{
		botARN + ":port":      slack + `": what stands at the key "port" is no text`,
		botARN + ":none":      `at the key "none" is no text`,
		botARN + ":app_token": slack + `" has no key "app_token": add it`,
		botARN:                slack + `" holds JSON: say which key`,
		botARN + "text:key":   slack + `text" holds no JSON: leave the key "key" out`,
		botARN + "empty":      slack + `empty" is empty`,
		botARN + "binary":     slack + `binary" holds no text`,
		botARN + "none":       `there is no secret "sekisho/slack-AbCdEfnone" in eu-central-1: create it`,
		botARN + "denied":     `allow secretsmanager:GetSecretValue on ` + botARN + `denied, and kms:Decrypt`,
		botARN + "gone":       `AWS refuses with InvalidRequestException`,
		botARN + "signature":  `AWS refuses with InvalidSignatureException`,
		botARN + "odd":        `a code that is no word`,
		"ssm:/none":           `there is no parameter "/none" in eu-central-1`,
		"ssm:/none/empty":     `the parameter "/none/empty" is empty`,
		"ssm:/denied":         `allow ssm:GetParameter on arn:aws:ssm:eu-central-1:*:parameter/denied`,
		"ssm:/sick":           `allow kms:Decrypt`,

		"ssm:SPILT": "write ssm:/PATH", "ssm:/": "write ssm:/PATH", "arn:SPILT": "this ARN names no secret",
		"arn:aws:s3:::SPILT": "this ARN names no secret", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:": "names no secret",
		"arn:aws:secretsmanager:eu-central-1:1111:secret:SPILT":       "names no secret",
		"arn:aws:secretsmanager:evil.test/:111122223333:secret:SPILT": "names no secret",
		"arn:SPILT:secretsmanager:eu-central-1:111122223333:secret:x": "names no secret",
		"arn:aws:ssm:eu-central-1:111122223333:document/SPILT":        "names no secret",
		"arn:aws:ssm:eu-central-1:111122223333:parameter/":            "names no secret",
		botARN + ":SPILT:AWSPREVIOUS":                                 "names a version",
		botARN + ":SPILT::00000000-SPILT":                             "names a version",
	} {
		_, err := read(t, v, map[string]string{"FOO": given}).Value("FOO")
		if err == nil || !strings.HasPrefix(err.Error(), "FOO: ") || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "SPILT") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v\nwant %s", given, err, want)
		}
	}
	for what, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"both":       {map[string]string{"FOO": "SPILT", "FOO_FILE": file(t, "SPILT")}, "FOO and FOO_FILE are both set: keep one"},
		"no file":    {map[string]string{"FOO_FILE": "/nowhere/secret"}, "FOO_FILE: open /nowhere/secret"},
		"empty file": {map[string]string{"FOO_FILE": file(t, " \n")}, "FOO_FILE: the file is empty"},
	} {
		_, err := secrets.Read(t.Context(), v.source(c.env), "FOO").Value("FOO")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SPILT") {
			t.Errorf("%s: %v", what, err)
		}
	}
	nowhere := v.source(map[string]string{"FOO": "ssm:/x"})
	nowhere.AWS = func(string) aws.Config { return aws.Config{} }
	if _, err := secrets.Read(t.Context(), nowhere, "FOO").Value("FOO"); err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("without a region: %v", err)
	}
}

// Five keys of one secret are one question, and all questions are asked at once.
func TestEverySecretIsAskedForOnceAndTogether(t *testing.T) {
	v := &vault{secrets: map[string]any{botARN: `{"a":"1","b":"2"}`, "/c": "3"}}
	set := read(t, v, map[string]string{"A": botARN + ":a", "B": botARN + ":b", "C": "ssm:/c"})
	for name, want := range map[string]string{"A": "1", "B": "2", "C": "3"} {
		if got, err := set.Value(name); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if len(v.calls) != 2 {
		t.Errorf("AWS was asked %d times: %q", len(v.calls), v.calls)
	}
	synctest.Test(t, func(t *testing.T) {
		v, began := &vault{hangs: true}, time.Now()
		set := read(t, v, map[string]string{"A": botARN, "B": botARN + "2", "C": "ssm:/c", "D": "plain"})
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("three that do not answer took %s", took)
		}
		if _, err := set.Value("A"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "NAT or a VPC endpoint") {
			t.Errorf("no answer: %v", err)
		}
		if got, err := set.Value("D"); got != "plain" || err != nil {
			t.Errorf("another: %q, %v", got, err)
		}
	})
}

func TestAWSIsAskedThreeTimes(t *testing.T) {
	for _, busy := range []int{2, 3} {
		synctest.Test(t, func(t *testing.T) {
			v, left := &vault{}, busy
			v.answers = func() (int, string) {
				if left--; left >= 0 {
					return http.StatusInternalServerError, `{"__type":"InternalServiceError","message":"SPILT"}`
				}
				return http.StatusOK, `{"SecretString":"at last"}`
			}
			got, err := read(t, v, map[string]string{"FOO": botARN}).Value("FOO")
			if len(v.calls) != 3 || (err == nil) != (busy == 2) || err == nil && got != "at last" {
				t.Errorf("busy %d times: %q, %v after %d calls", busy, got, err, len(v.calls))
			}
		})
	}
	v := &vault{answers: func() (int, string) { return http.StatusOK, "<html>SPILT" }}
	if _, err := read(t, v, map[string]string{"FOO": botARN}).Value("FOO"); err == nil || strings.Contains(err.Error(), "SPILT") {
		t.Errorf("a page in AWS's place: %v", err)
	}
}

// renew names the variables whose new values were there to be used.
func renew(ctx context.Context, set *secrets.Set) (changed []string, err error) {
	err = set.Renew(ctx, func(variable, _ string) error {
		changed = append(changed, variable)
		return nil
	})
	return changed, err
}

// What is refused is offered each time until it is taken, or the one of before
// is back; another is taken meanwhile.
func TestARefusedSecretIsOfferedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{secrets: map[string]any{botARN: `{"a":"one","b":"one"}`}}
		set := read(t, v, map[string]string{"A": botARN + ":a", "B": botARN + ":b"})
		for n, step := range []struct{ stored, offered, a, b string }{
			{`{"a":"bad","b":"two"}`, "A=bad B=two ", "one", "two"},
			{`{"a":"bad","b":"two"}`, "A=bad ", "one", "two"},
			{`{"a":"one","b":"two"}`, "", "one", "two"},
			{`{"a":"two","b":"two"}`, "A=two ", "two", "two"},
		} {
			v.put(botARN, step.stored)
			time.Sleep(5 * time.Minute)
			offered := ""
			err := set.Renew(t.Context(), func(variable, value string) error {
				offered += variable + "=" + value + " "
				if value == "bad" {
					return errors.New("it cannot be used")
				}
				return nil
			})
			a, _ := set.Value("A")
			b, _ := set.Value("B")
			if err != nil || offered != step.offered || a != step.a || b != step.b {
				t.Errorf("step %d: offered %q, now %q and %q, %v; want %+v", n+1, offered, a, b, err, step)
			}
		}
	})
}

func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t, "one")
		v := &vault{secrets: map[string]any{botARN: "one", "/b": "one"}}
		env := map[string]string{"A": botARN, "B": "ssm:/b", "C_FILE": path, "D": "one"}
		set := secrets.Read(t.Context(), v.source(env), "A", "B", "C", "D")
		step := func(what string, want, failed []string, values string) {
			t.Helper()
			changed, err := renew(t.Context(), set)
			if !slices.Equal(changed, want) {
				t.Errorf("%s: changed %q, want %q", what, changed, want)
			}
			for _, name := range failed {
				if err == nil || !strings.Contains(err.Error(), name+": ") {
					t.Errorf("%s: %v, want %s in it", what, err, name)
				}
			}
			if len(failed) == 0 && err != nil {
				t.Errorf("%s: %v", what, err)
			}
			got := ""
			for _, name := range []string{"A", "B", "C", "D"} {
				v, err := set.Value(name)
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
				got += v + " "
			}
			if got != values {
				t.Errorf("%s: %s, want %s", what, got, values)
			}
		}
		env["D"] = "another" // which nobody reads again
		v.put(botARN, "two")
		if err := os.WriteFile(path, []byte("two\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute - time.Second)
		asked := len(v.calls)
		step("before the TTL", nil, nil, "one one one one ")
		if len(v.calls) != asked {
			t.Errorf("AWS was asked before the TTL")
		}
		time.Sleep(time.Second)
		step("after it", []string{"A", "C"}, nil, "two one two one ")
		step("at once again", nil, nil, "two one two one ")
		v.put(botARN, errors.New("AccessDeniedException"))
		v.put("/b", "two")
		time.Sleep(5 * time.Minute)
		step("where one may not be read", []string{"B"}, []string{"A"}, "two two two one ")
		time.Sleep(time.Minute)
		asked = len(v.calls)
		step("soon after a failure", nil, nil, "two two two one ")
		if len(v.calls) != asked {
			t.Errorf("AWS was asked again at once")
		}
		v.hangs = true
		time.Sleep(5 * time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if changed, err := renew(ctx, set); err == nil || changed != nil || time.Since(began) != time.Second {
			t.Errorf("bounded: %q, %v after %s", changed, err, time.Since(began))
		}
	})
}

// One that renews keeps nobody else, and who reads sees old or new.
func TestRenewFromManyGoroutines(t *testing.T) {
	v := &vault{secrets: map[string]any{botARN: "0"}}
	source := v.source(map[string]string{"FOO": botARN})
	var minutes, changes atomic.Int64
	source.Now = func() time.Time { return time.Unix(60*minutes.Add(1), 0) }
	set := secrets.Read(t.Context(), source, "FOO")
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 50 {
				v.put(botARN, fmt.Sprint(n*50+i+1))
				changed, err := renew(t.Context(), set)
				if err != nil {
					t.Error(err)
				}
				changes.Add(int64(len(changed)))
				if value, err := set.Value("FOO"); value == "" || err != nil {
					t.Errorf("%q, %v", value, err)
				}
			}
		})
	}
	all.Wait()
	if changes.Load() == 0 {
		t.Error("nothing was renewed: the test does not do what it says")
	}
}
