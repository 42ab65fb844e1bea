package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sekisho/infra/deploy/cfn"
)

// TestTheURLHasBothPermissions: with one of them every request is a 403.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func TestTheURLHasBothPermissions(t *testing.T) {
	s := lambda.stack(t, nil)
	if got := public(s); !slices.Equal(got, []string{
		"lambda:InvokeFunction on sekisho-front by URL", "lambda:InvokeFunctionUrl on sekisho-front without authentication",
	}) {
		t.Errorf("the public may call %v", got)
	}
	if p := s.Resources["FrontUrl"].Properties; p["AuthType"] != "NONE" || p["InvokeMode"] != "BUFFERED" {
		t.Errorf("the URL is %v", p)
	}
	url := fmt.Sprint(s.Outputs["Url"])
	if !strings.HasPrefix(url, "https://") || s.Outputs["Manifest"] != "make manifest-http URL="+url {
		t.Errorf("the URL is %s, and %v", url, s.Outputs["Manifest"])
	}
}

func TestTheAPIStandsInTheURLsPlace(t *testing.T) {
	s := lambda.stack(t, parameters{"FrontDoor": "api"})
	if got := public(s); len(got) > 0 {
		t.Errorf("the public may call %v beside the API", got)
	}
	if ids := s.Of("AWS::Lambda::Url"); len(ids) > 0 {
		t.Errorf("there is a URL, too: %v", ids)
	}
	var routes []string
	for _, id := range s.Of("AWS::ApiGatewayV2::Route") {
		routes = append(routes, s.Resources[id].Properties["RouteKey"].(string))
	}
	if want := []string{"POST /slack/commands", "POST /slack/events", "POST /slack/interactions"}; !slices.Equal(routes, want) {
		t.Errorf("the API takes %v, want %v", routes, want)
	}
	limits, _ := s.Resources["ApiStage"].Properties["DefaultRouteSettings"].(map[string]any)
	if limits["ThrottlingRateLimit"] == nil || limits["ThrottlingBurstLimit"] == nil {
		t.Errorf("the API turns no flood away: %v", limits)
	}
	p := s.Resources["ApiPermission"].Properties
	if p["FunctionName"] != "sekisho-front" || !strings.HasSuffix(p["SourceArn"].(string), "/*/POST/slack/*") {
		t.Errorf("the API may call %v", p)
	}
	if p = s.Resources["ApiToFront"].Properties; p["PayloadFormatVersion"] != "2.0" {
		t.Errorf("the API speaks %v", p["PayloadFormatVersion"])
	}
}

// public are the calls that anybody may make.
func public(s *cfn.Stack) (calls []string) {
	for _, id := range s.Of("AWS::Lambda::Permission") {
		p := s.Resources[id].Properties
		if p["Principal"] != "*" {
			continue
		}
		call := fmt.Sprintf("%v on %v", p["Action"], p["FunctionName"])
		if p["InvokedViaFunctionUrl"] == true {
			call += " by URL"
		}
		if p["FunctionUrlAuthType"] == "NONE" {
			call += " without authentication"
		}
		calls = append(calls, call)
	}
	slices.Sort(calls)
	return calls
}

// TestAFloodStaysOutside: the public function has a share of its own.
func TestAFloodStaysOutside(t *testing.T) {
	s := lambda.stack(t, parameters{"FrontConcurrency": "7"})
	if got := fmt.Sprint(s.Resources["Front"].Properties["ReservedConcurrentExecutions"]); got != "7" {
		t.Errorf("the front may run %s times at once, want 7", got)
	}
	// A new account has ten in all, and Lambda keeps a hundred unreserved.
	if got := lambda.stack(t, parameters{"FrontConcurrency": "0"}).Resources["Front"].Properties["ReservedConcurrentExecutions"]; got != nil {
		t.Errorf("%v are reserved", got)
	}
}

// TestNothingComesInWithoutABalancer looks at Fargate's network.
func TestNothingComesInWithoutABalancer(t *testing.T) {
	open := func(s *cfn.Stack) (in []string) {
		for _, id := range s.Of("AWS::EC2::SecurityGroup") {
			for _, rule := range list(s.Resources[id].Properties["SecurityGroupIngress"]) {
				in = append(in, fmt.Sprintf("%s %v", id, rule.(map[string]any)["FromPort"]))
			}
			if s.Resources[id].Properties["SecurityGroupEgress"] == nil {
				t.Errorf("%s lets everything out", id)
			}
		}
		for _, id := range s.Of("AWS::EC2::SecurityGroupIngress") {
			p := s.Resources[id].Properties
			in = append(in, fmt.Sprintf("%v from %v", p["FromPort"], p["SourceSecurityGroupId"]))
		}
		return in
	}
	if in := open(fargate.stack(t, nil)); len(in) > 0 {
		t.Errorf("these come in: %v", in)
	}
	s := fargate.stack(t, fargate.variants()["balancer"])
	if in := open(s); !slices.Equal(in, []string{"BalancerGroup 443", "8080 from sekisho-BalancerGroup"}) {
		t.Errorf("these come in: %v", in)
	}
	conditions := fmt.Sprint(s.Resources["SlackRequests"].Properties["Conditions"])
	if !strings.Contains(conditions, "/slack/*") || !strings.Contains(conditions, "POST") {
		t.Errorf("the load balancer lets in %v", conditions)
	}
}

// TestTheContainerIsClosed looks at what the container may do.
func TestTheContainerIsClosed(t *testing.T) {
	for name, p := range fargate.variants() {
		task := fargate.stack(t, p).Resources["Task"].Properties
		c := list(task["ContainerDefinitions"])[0].(map[string]any)
		got := fmt.Sprintln(c["Name"], c["User"], c["ReadonlyRootFilesystem"], c["StopTimeout"], c["Command"],
			c["LinuxParameters"].(map[string]any)["Capabilities"], c["HealthCheck"].(map[string]any)["Command"])
		if want := "sekisho 65532 true 60 [serve] map[Drop:[ALL]] [CMD /sekisho healthcheck]\n"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	service := fargate.stack(t, nil).Resources["Service"].Properties
	deployment := service["DeploymentConfiguration"].(map[string]any)
	got := fmt.Sprintf("%v %v", service["DesiredCount"], deployment["DeploymentCircuitBreaker"])
	if got != "2 map[Enable:true Rollback:true]" {
		t.Errorf("the service: %s", got)
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
