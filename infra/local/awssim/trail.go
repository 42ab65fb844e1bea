package awssim

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// What CloudTrail tells of starts and launches, refused ones too: who called. EventBridge carries it only where a trail
// logs, and later than EC2's own events.
// https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html

const (
	startCall = "StartInstances"
	runCall   = "RunInstances"

	// consoleUser acts when the program names nobody.
	consoleUser = "console"

	// What a person in the console comes from; an address of the documentation range.
	consoleAddress = "203.0.113.7"
	consoleAgent   = "console.ec2.amazonaws.com"
)

// record is a CloudTrail record of an API call.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type record struct {
	Version      string   `json:"eventVersion"`
	By           identity `json:"userIdentity"`
	Time         string   `json:"eventTime"` // whole seconds, UTC
	Source       string   `json:"eventSource"`
	Name         string   `json:"eventName"`
	Region       string   `json:"awsRegion"`
	From         string   `json:"sourceIPAddress"`
	Agent        string   `json:"userAgent"`
	ErrorCode    string   `json:"errorCode,omitempty"` // "Client.IncorrectInstanceState"
	ErrorMessage string   `json:"errorMessage,omitempty"`
	Request      any      `json:"requestParameters"`
	Response     any      `json:"responseElements"` // null when the call was refused
	RequestID    string   `json:"requestID"`
	ID           string   `json:"eventID"`
	ReadOnly     bool     `json:"readOnly"`
	Type         string   `json:"eventType"`
	Management   bool     `json:"managementEvent"`
	Recipient    string   `json:"recipientAccountId"`
	Category     string   `json:"eventCategory"`
}

// identity says who called.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type identity struct {
	Type      string   `json:"type"` // "IAMUser", "AssumedRole"; "Role" of an issuer
	Principal string   `json:"principalId"`
	ARN       string   `json:"arn"`
	Account   string   `json:"accountId"`
	AccessKey string   `json:"accessKeyId,omitempty"`
	UserName  string   `json:"userName,omitempty"`
	Session   *session `json:"sessionContext,omitempty"`
}

type session struct {
	Issuer identity `json:"sessionIssuer"`
}

// user is the identity of an IAM user, whether or not it was added to the account. The caller holds mu.
func (c *Cloud) user(name string) identity {
	id := "AIDATEST" + strings.ToUpper(name)
	if a, err := c.iam.user(name); err == nil {
		id = a.ID
	}
	return identity{
		Type: "IAMUser", Principal: id, ARN: "arn:aws:iam::" + c.opts.Account + ":user/" + name,
		Account: c.opts.Account, AccessKey: "ASIATESTTESTTESTTEST", UserName: name,
	}
}

// trailConsole records what somebody did in the console. The caller holds mu.
func (c *Cloud) trailConsole(user, call string, request, response any, err error) {
	c.trail(record{By: c.user(user), Name: call, From: consoleAddress, Agent: consoleAgent, Request: request, RequestID: newRequestID()}, response, err)
}

// trailWire records a wire call that was answered, if CloudTrail's events are modelled for it.
func (c *Cloud) trailWire(r *http.Request, call Call, f form, requestID string, answer ec2Answer, err error) {
	var request, response any
	switch call.Action {
	case startCall:
		request = idItems(call.IDs)
		if a, ok := answer.(*changesAnswer); ok {
			response = changeItems(a.Instances)
		}
	case runCall:
		request = launchRequest(f.get("ImageId"), f.get("InstanceType"), f.launchTags())
		if a, ok := answer.(*runAnswer); ok {
			response = launchItems(a.ID, a.Instances)
		}
	default:
		return
	}
	if err != nil && asAPIError(err).Code == "AuthFailure" {
		return // by nobody that the account knows
	}
	from, _, splitErr := net.SplitHostPort(r.RemoteAddr)
	if splitErr != nil {
		from = r.RemoteAddr
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trail(record{By: c.identity(f.by), Name: call.Action, From: from, Agent: r.UserAgent(), Request: request, RequestID: requestID}, response, err)
}

// trail completes a record and sends it, after Options.CloudTrailDelay. The caller holds mu.
func (c *Cloud) trail(r record, response any, err error) {
	now := c.opts.Now().UTC().Format(time.RFC3339)
	r.Version, r.Time, r.Source, r.Region, r.ID = "1.11", now, "ec2.amazonaws.com", c.opts.Region, newRequestID()
	r.Type, r.Management, r.Recipient, r.Category = "AwsApiCall", true, c.opts.Account, "Management"
	if err == nil {
		r.Response = response
	} else {
		refused := asAPIError(err)
		r.ErrorCode, r.ErrorMessage = faultOf(refused)+"."+refused.Code, refused.Message
	}
	event := c.envelope("aws.ec2", "AWS API Call via CloudTrail", now, []string{}, r)
	c.after(c.opts.CloudTrailDelay, func() { c.emit(event) })
}

// faultOf is whose fault EC2 says an error is. Being throttled is the client's, whatever its status.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func faultOf(e *APIError) string {
	if e.Status >= http.StatusInternalServerError && e.Code != "RequestLimitExceeded" {
		return "Server"
	}
	return "Client"
}

// after does something d from now, unless the cloud is closed by then. The caller holds mu, and so does do.
func (c *Cloud) after(d time.Duration, do func()) {
	if c.closed {
		return
	}
	if d <= 0 {
		do()
		return
	}
	c.running.Add(1)
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		defer c.running.Done()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.errands, timer)
		if !c.closed {
			do()
		}
	})
	c.errands[timer] = struct{}{}
}

// items is how CloudTrail writes EC2's sets.
type items[T any] struct {
	Items []T `json:"items"`
}

type instanceSet[T any] struct {
	Instances items[T] `json:"instancesSet"`
}

type idItem struct {
	ID string `json:"instanceId"`
}

type stateItem struct {
	Code int    `json:"code"`
	Name string `json:"name"`
}

type changeItem struct {
	idItem
	Current  stateItem `json:"currentState"`
	Previous stateItem `json:"previousState"`
}

type tagItem struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type tagsItem struct {
	Resource string    `json:"resourceType"`
	Tags     []tagItem `json:"tags"`
}

func idItems(ids []string) any {
	var set instanceSet[idItem]
	for _, id := range ids {
		set.Instances.Items = append(set.Instances.Items, idItem{id})
	}
	return set
}

func changeItems(changes []changeXML) any {
	var set instanceSet[changeItem]
	for _, s := range changes {
		set.Instances.Items = append(set.Instances.Items, changeItem{idItem{s.ID}, stateItem(s.Current), stateItem(s.Previous)})
	}
	return set
}

func launchRequest(image, kind string, tags []tag) any {
	request := struct {
		Instances items[map[string]any] `json:"instancesSet"`
		Type      string                `json:"instanceType,omitempty"`
		Tags      *items[tagsItem]      `json:"tagSpecificationSet,omitempty"`
	}{Instances: items[map[string]any]{[]map[string]any{{"imageId": image}}}, Type: kind}
	if len(tags) > 0 {
		spec := tagsItem{Resource: "instance"}
		for _, t := range tags {
			spec.Tags = append(spec.Tags, tagItem(t))
		}
		request.Tags = &items[tagsItem]{[]tagsItem{spec}}
	}
	return request
}

// launchItems has no previousState: there was no instance.
func launchItems(reservation string, launched []instanceXML) any {
	type item struct {
		idItem
		State stateItem `json:"instanceState"`
		Type  string    `json:"instanceType"`
	}
	response := struct {
		Reservation string `json:"reservationId"`
		instanceSet[item]
	}{Reservation: reservation}
	for _, i := range launched {
		response.Instances.Items = append(response.Instances.Items, item{idItem{i.ID}, stateItem(i.State), i.Type})
	}
	return response
}
