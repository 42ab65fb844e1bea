package cfn

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Policies are the IAM policy documents that a role of the stack has, as JSON:
// its own, those of AWS::IAM::Policy that name it, and the managed policies of
// the stack that it names.
func (s *Stack) Policies(role string) (documents []string, err error) {
	r, ok := s.Resources[role]
	if !ok || r.Type != "AWS::IAM::Role" {
		return nil, fmt.Errorf("the stack has no role %s", role)
	}
	add := func(document any) {
		text, isText := document.(string)
		if !isText {
			encoded, wrong := json.Marshal(document)
			text, err = string(encoded), wrong
		}
		documents = append(documents, text)
	}
	for _, p := range list(r.Properties["Policies"]) {
		add(p.(map[string]any)["PolicyDocument"])
	}
	name, _ := s.ref(role)
	for _, id := range s.Of("AWS::IAM::Policy") {
		if p := s.Resources[id].Properties; slices.Contains(list(p["Roles"]), name) {
			add(p["PolicyDocument"])
		}
	}
	for _, id := range s.Of("AWS::IAM::ManagedPolicy") {
		if arn, _ := s.ref(id); slices.Contains(list(r.Properties["ManagedPolicyArns"]), arn) {
			add(s.Resources[id].Properties["PolicyDocument"])
		}
	}
	return documents, err
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
