package awssim_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"sekisho/infra/local/awssim"
)

func (w *world) parameter(t *testing.T, name string, decrypt *bool) (types.Parameter, error) {
	t.Helper()
	out, err := w.parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: decrypt})
	if err != nil {
		return types.Parameter{}, err
	}
	return *out.Parameter, nil
}

func TestGetParameter(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	w.PutParameter("/sekisho/pepper", "an older pepper", true)
	w.PutParameter("/sekisho/pepper", "test pepper", true)
	w.PutParameter("policy", "version: 1", false)
	const arns = "arn:aws:ssm:eu-central-1:111122223333:parameter/"

	for _, name := range []string{"/sekisho/pepper", arns + "sekisho/pepper"} {
		p, err := w.parameter(t, name, aws.Bool(true))
		wantOK(t, err)
		if *p.Name != "/sekisho/pepper" || *p.ARN != arns+"sekisho/pepper" || *p.Value != "test pepper" || p.Type != types.ParameterTypeSecureString ||
			p.Version != 2 || *p.DataType != "text" || p.LastModifiedDate.Unix() != clock.now().Unix() {
			t.Errorf("%s is %+v", name, p)
		}
		for _, decrypt := range []*bool{nil, aws.Bool(false)} {
			p, err = w.parameter(t, name, decrypt)
			wantOK(t, err)
			if sealed, err := base64.StdEncoding.DecodeString(*p.Value); err != nil || len(sealed) < 100 || strings.Contains(string(sealed), "pepper") {
				t.Errorf("without decryption %s is %q", name, *p.Value)
			}
		}
		calls := w.Calls()
		if last := calls[len(calls)-1]; last.Service != "ssm" || last.Action != "GetParameter" || !slices.Equal(last.IDs, []string{name}) {
			t.Errorf("recorded %+v", last)
		}
	}
	for _, name := range []string{"policy", arns + "policy"} {
		for _, decrypt := range []*bool{nil, aws.Bool(true)} {
			p, err := w.parameter(t, name, decrypt)
			wantOK(t, err)
			if *p.Value != "version: 1" || p.Type != types.ParameterTypeString || p.Version != 1 {
				t.Errorf("%s is %+v", name, p)
			}
		}
	}
}

func TestParameterRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.PutParameter("/a/b", "text", true)
	for _, name := range []string{"none", "/a", "/a/B", "a/b", "arn:aws:ssm:eu-west-1:111122223333:parameter/a/b"} {
		_, err := w.parameter(t, name, nil)
		wantCode(t, err, "ParameterNotFound")
	}
	for _, name := range []string{"", "/a/b:1", "arn:aws:ssm:eu-central-1:111122223333:parameter/a/b:label"} {
		_, err := w.parameter(t, name, nil)
		wantCode(t, err, "ValidationException")
	}
	w.Throttle("GetParameter", 3)
	_, err := w.parameter(t, "/a/b", nil)
	wantCode(t, err, "ThrottlingException")
}
