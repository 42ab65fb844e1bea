package awssim_test

import (
	"strings"
	"testing"
	"time"

	"sekisho/infra/local/awssim"
)

// Each pattern is a rule of its own, and each event is sent: it must arrive, or not.
func TestPatterns(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string // events
	}{
		{
			`{"source": ["aws.ec2", "aws.ses"]}`,
			[]string{`{"source":"aws.ec2"}`, `{"source":"aws.ses","detail":{}}`},
			[]string{`{"source":"aws.ec2.x"}`, `{"source":"AWS.EC2"}`, `{}`, `{"source":null}`, `{"source":{"aws.ec2":1}}`},
		},
		{
			`{"source": ["a"], "detail": {"x": {"y": ["z"]}, "n": [1]}}`,
			[]string{`{"source":"a","detail":{"x":{"y":"z"},"n":1}}`},
			[]string{
				`{"source":"a","detail":{"x":{"y":"z"}}}`,
				`{"source":"a","detail":{"x":{"y":"a"},"n":1}}`,
				`{"source":"b","detail":{"x":{"y":"z"},"n":1}}`,
				`{"source":"a","detail":{"x":"z","n":1}}`,
				`{"source":"a"}`,
			},
		},
		{ // one of an array is enough
			`{"resources": ["b", "c"]}`,
			[]string{`{"resources":["a","b"]}`, `{"resources":[["x"],["c"]]}`},
			[]string{`{"resources":["a"]}`, `{"resources":[]}`},
		},
		{ // one object of an array has it all
			`{"list": {"a": [1], "b": [2]}}`,
			[]string{`{"list":[{"a":3},{"a":1,"b":2}]}`, `{"list":{"a":1,"b":2}}`},
			[]string{`{"list":[{"a":1},{"b":2}]}`, `{"list":[]}`},
		},
		{ // values have kinds, and numbers are compared as they are written
			`{"v": [true, null, 300, "7"]}`,
			[]string{`{"v":true}`, `{"v":null}`, `{"v":300}`, `{"v":"7"}`},
			[]string{`{"v":false}`, `{"v":"true"}`, `{"v":"300"}`, `{"v":300.0}`, `{"v":7}`, `{}`},
		},
		{
			`{"time": [{"prefix": "2026-"}]}`,
			[]string{`{"time":"2026-03-04"}`, `{"time":"2026-"}`, `{"time":["x","2026-1"]}`},
			[]string{`{"time":"1 2026-"}`, `{"time":2026}`, `{}`},
		},
		{
			`{"v": [{"prefix": ""}]}`,
			[]string{`{"v":""}`, `{"v":"x"}`},
			[]string{`{"v":1}`, `{}`},
		},
		{
			`{"file": [{"suffix": ".png"}, "x"]}`,
			[]string{`{"file":"a.png"}`, `{"file":"x"}`},
			[]string{`{"file":"a.png.gz"}`, `{"file":"y"}`},
		},
		{
			`{"rule": [{"wildcard": "*access-keys-rotated*"}]}`,
			[]string{`{"rule":"access-keys-rotated"}`, `{"rule":"securityhub-access-keys-rotated-0a1b"}`},
			[]string{`{"rule":"access-keys"}`, `{"rule":7}`},
		},
		{ // * is the one wildcard, and can be escaped
			`{"v": [{"wildcard": "a?\\*\\\\b*"}]}`,
			[]string{`{"v":"a?*\\b"}`, `{"v":"a?*\\bcd"}`},
			[]string{`{"v":"ax*\\b"}`, `{"v":"a?x\\b"}`},
		},
		{
			`{"v": [{"wildcard": "\\**"}]}`,
			[]string{`{"v":"*"}`, `{"v":"*x"}`},
			[]string{`{"v":"x"}`},
		},
		{
			`{"v": [{"wildcard": "*\\**"}]}`,
			[]string{`{"v":"a*b"}`},
			[]string{`{"v":"ab"}`},
		},
		{ // only leaves exist
			`{"detail": {"errorCode": [{"exists": false}]}}`,
			[]string{`{"detail":{}}`, `{}`, `{"detail":{"errorCode":{"a":1}}}`},
			[]string{`{"detail":{"errorCode":"X"}}`, `{"detail":{"errorCode":null}}`, `{"detail":{"errorCode":["X"]}}`},
		},
		{
			`{"detail": {"errorCode": [{"exists": true}]}}`,
			[]string{`{"detail":{"errorCode":"X"}}`, `{"detail":{"errorCode":false}}`},
			[]string{`{"detail":{}}`, `{}`, `{"detail":{"errorCode":{"a":1}}}`},
		},
		{
			`{"v": [{"anything-but": "a"}]}`,
			[]string{`{"v":"b"}`, `{"v":1}`, `{"v":["a","b"]}`},
			[]string{`{"v":"a"}`, `{}`},
		},
		{
			`{"v": [{"anything-but": ["a", "b"]}]}`,
			[]string{`{"v":"c"}`},
			[]string{`{"v":"a"}`, `{"v":"b"}`},
		},
		{
			`{"v": [{"anything-but": [1, 2]}]}`,
			[]string{`{"v":3}`, `{"v":"1"}`},
			[]string{`{"v":2}`},
		},
		{
			`{"v": [{"anything-but": {"prefix": "us-"}}]}`,
			[]string{`{"v":"eu-west-1"}`},
			[]string{`{"v":"us-east-1"}`, `{}`},
		},
		{
			`{"v": [{"anything-but": {"wildcard": "*/lib/*"}}], "w": [{"anything-but": {"suffix": ".png"}}]}`,
			[]string{`{"v":"/bin/x","w":"a.gif"}`},
			[]string{`{"v":"/lib/x","w":"a.gif"}`, `{"v":"/bin/x","w":"a.png"}`},
		},
	}
	w := awssim.New(awssim.Options{})
	defer w.Close()
	queue := w.CreateQueue("events", time.Minute, "", 0)
	for _, tt := range tests {
		wantOK(t, w.PutRule(awssim.Rule{Name: "rule", Pattern: tt.pattern, Targets: []awssim.Target{{Queue: queue}}}))
		for _, event := range append(tt.yes, tt.no...) {
			before := len(w.Queue(queue).Visible)
			w.Emit([]byte(event))
			after := w.Queue(queue).Visible
			wanted := strings.Contains("\n"+strings.Join(tt.yes, "\n")+"\n", "\n"+event+"\n")
			if got := len(after) > before; got != wanted {
				t.Errorf("pattern %s, event %s: matches %t, want %t", tt.pattern, event, got, wanted)
			} else if got && after[before] != event {
				t.Errorf("event %s arrived as %s", event, after[before])
			}
		}
	}
}

func TestPatternsRefused(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for pattern, says := range map[string]string{
		`{`:                                    "not JSON",
		`{"a": ["b"]} x`:                       "not JSON",
		`[]`:                                   "not an object",
		`{}`:                                   "empty objects",
		`{"a": {}}`:                            "empty objects",
		`{"a": []}`:                            "empty arrays",
		`{"a": "b"}`:                           `"a": it must be an object or an array`,
		`{"a": {"b": {"c": 1}}}`:               `"a": "b": "c": it must be`,
		`{"a": [["b"]]}`:                       "array in an array",
		`{"a": [{}]}`:                          "one operator",
		`{"a": [{"prefix":"b","suffix":"c"}]}`: "one operator",
		`{"a": [{"numeric": [">", 0]}]}`:       "unrecognized match type numeric",
		`{"a": [{"Prefix": "b"}]}`:             "unrecognized match type Prefix",
		`{"a": [{"prefix": 1}]}`:               "operand of prefix must be a string",
		`{"a": [{"suffix": {"equals-ignore-case": "x"}}]}`: "operand of suffix must be a string",
		`{"a": [{"exists": "true"}]}`:                      "true or false",
		`{"a": [{"wildcard": "a**b"}]}`:                    "consecutive",
		`{"a": [{"wildcard": "a\\b"}]}`:                    `may stand before`,
		`{"a": [{"anything-but": []}]}`:                    "strings or numbers",
		`{"a": [{"anything-but": ["a", 1]}]}`:              "strings or numbers",
		`{"a": [{"anything-but": true}]}`:                  "strings or numbers",
		`{"a": [{"anything-but": {"numeric": [">", 0]}}]}`: "unrecognized match type numeric",
		`{"$or": [{"a": ["b"]}]}`:                          `doesn't know "$or"`,
		`{"a": ["` + strings.Repeat("b", 4096) + `"]}`:     "longer than 4096",
	} {
		err := w.PutRule(awssim.Rule{Name: "rule", Pattern: pattern})
		if err == nil {
			t.Errorf("pattern %.60s was taken", pattern)
			continue
		}
		if message := wantCode(t, err, "InvalidEventPatternException"); !strings.Contains(message, says) {
			t.Errorf("pattern %.60s: %s; want it to say %q", pattern, message, says)
		}
	}
}
