package awssim

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
)

// EC2's query protocol: a form in, XML out. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/making-api-requests.html
const ec2Namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// ec2Actions is everything this EC2 can do. The caller holds mu.
var ec2Actions = map[string]func(*Cloud, form) (ec2Answer, error){
	"CreateTags":                (*Cloud).ec2CreateTags,
	"DeleteTags":                (*Cloud).ec2DeleteTags,
	"DescribeInstanceAttribute": (*Cloud).ec2DescribeInstanceAttribute,
	"DescribeInstances":         (*Cloud).ec2DescribeInstances,
	"DescribeRegions":           (*Cloud).ec2DescribeRegions,
	"DescribeTags":              (*Cloud).ec2DescribeTags,
	"ModifyInstanceAttribute":   (*Cloud).ec2ModifyInstanceAttribute,
	"RunInstances":              (*Cloud).ec2RunInstances,
	"StartInstances":            (*Cloud).ec2StartInstances,
	"StopInstances":             (*Cloud).ec2StopInstances,
	"TerminateInstances":        (*Cloud).ec2TerminateInstances,
}

// ec2Answer is an answer's XML: a pointer to a struct that embeds answerID.
type ec2Answer interface{ setRequestID(string) }

type answerID struct {
	RequestID string `xml:"requestId"`
}

func (a *answerID) setRequestID(id string) { a.RequestID = id }

func (c *Cloud) serveEC2(w http.ResponseWriter, r *http.Request, body []byte) {
	requestID := newRequestID()
	values, parseErr := url.ParseQuery(string(body))
	f := form{values, c.callerOf(r)}
	call := Call{Service: "ec2", Action: f.get("Action"), IDs: append(f.list("InstanceId"), f.list("ResourceId")...), Key: signedBy(r)}
	if id := f.get("InstanceId"); id != "" {
		call.IDs = append(call.IDs, id)
	}

	result, err := c.callEC2(r, call.Action, f, parseErr)
	c.record(call, err)
	c.trailWire(r, call, f, requestID, result, err)
	if err != nil {
		refused := asAPIError(err)
		answer(w, "text/xml;charset=UTF-8", requestID, refused.Status, ec2Error(refused, requestID))
		return
	}
	result.setRequestID(requestID)
	answer(w, "text/xml;charset=UTF-8", requestID, http.StatusOK, encodeXML(call.Action+"Response", ec2Namespace, result))
}

func (c *Cloud) callEC2(r *http.Request, action string, f form, parseErr error) (ec2Answer, error) {
	if parseErr != nil {
		return nil, refuse("MalformedQueryString", "The request's body is not a form: %v", parseErr)
	}
	if err := c.admitCall(r, "ec2", action, "RequestLimitExceeded"); err != nil {
		return nil, err
	}
	do := ec2Actions[action]
	if do == nil {
		return nil, refuse("InvalidAction", "The action %s is not valid for this web service.", action)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.permit(f.by, c.ec2Needs(action, f)...); err != nil {
		return nil, err
	}
	return do(c, f)
}

type stateXML struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

// stateCodes are the numbers beside the names. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html
var stateCodes = map[string]int{pending: 0, running: 16, shuttingDown: 32, terminated: 48, stopping: 64, stopped: 80}

func stateOf(name string) stateXML { return stateXML{stateCodes[name], name} }

// changesAnswer answers start, stop and terminate.
type changesAnswer struct {
	answerID
	Instances []changeXML `xml:"instancesSet>item"`
}

type changeXML struct {
	ID       string   `xml:"instanceId"`
	Current  stateXML `xml:"currentState"`
	Previous stateXML `xml:"previousState"`
}

func (c *Cloud) ec2StartInstances(f form) (ec2Answer, error)     { return c.ec2Change(f, c.start) }
func (c *Cloud) ec2StopInstances(f form) (ec2Answer, error)      { return c.ec2Change(f, c.stop) }
func (c *Cloud) ec2TerminateInstances(f form) (ec2Answer, error) { return c.ec2Change(f, c.terminate) }

func (c *Cloud) ec2Change(f form, change func(ids []string) ([]stateChange, error)) (ec2Answer, error) {
	ids := f.list("InstanceId")
	if len(ids) == 0 {
		return nil, errMissing("InstanceId")
	}
	if f.get("Hibernate") == "true" {
		return nil, refuse("UnsupportedHibernationConfiguration", "The instances are not configured for hibernation.")
	}
	if _, err := c.lookup(ids); err != nil {
		return nil, err
	}
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	changes, err := change(ids)
	if err != nil {
		return nil, err
	}
	return &changesAnswer{Instances: showChanges(changes)}, nil
}

func showChanges(changes []stateChange) []changeXML {
	var shown []changeXML
	for _, s := range changes {
		shown = append(shown, changeXML{s.id, stateOf(s.current), stateOf(s.previous)})
	}
	return shown
}

// doneAnswer answers what has nothing to tell.
type doneAnswer struct {
	answerID
	Return bool `xml:"return"`
}

func (c *Cloud) ec2CreateTags(f form) (ec2Answer, error) {
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	tags := f.tags("Tag")
	if len(tags) == 0 {
		return nil, errMissing("tagSet")
	}
	return &doneAnswer{Return: true}, c.createTags(f.list("ResourceId"), tags)
}

func (c *Cloud) ec2DeleteTags(f form) (ec2Answer, error) {
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	var tags []tagToDelete
	for _, prefix := range f.members("Tag") {
		t := tagToDelete{key: f.get(prefix + ".Key")}
		if value, given := f.lookup(prefix + ".Value"); given { // an empty value deletes an empty value
			t.value = &value
		}
		tags = append(tags, t)
	}
	return &doneAnswer{Return: true}, c.deleteTags(f.list("ResourceId"), tags)
}

type tagsAnswer struct {
	answerID
	Tags      []tagDescription `xml:"tagSet>item"`
	NextToken string           `xml:"nextToken,omitempty"`
}

func (c *Cloud) ec2DescribeTags(f form) (ec2Answer, error) {
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	size, err := readPageSize(f.get("MaxResults"))
	if err != nil {
		return nil, err
	}
	tags, next, err := c.describeTags(f.filters(), size, f.get("NextToken"))
	return &tagsAnswer{Tags: tags, NextToken: next}, err
}

type attributeAnswer struct {
	answerID
	InstanceID     string  `xml:"instanceId"`
	DisableAPIStop boolXML `xml:"disableApiStop"`
}

type boolXML struct {
	Value bool `xml:"value"`
}

func (c *Cloud) ec2DescribeInstanceAttribute(f form) (ec2Answer, error) {
	m, err := c.attributeOf(f, f.get("Attribute"))
	if err != nil {
		return nil, err
	}
	return &attributeAnswer{InstanceID: m.ID, DisableAPIStop: boolXML{m.StopProtected}}, nil
}

func (c *Cloud) ec2ModifyInstanceAttribute(f form) (ec2Answer, error) {
	attribute, text := f.get("Attribute"), f.get("Value")
	if value, given := f.lookup("DisableApiStop.Value"); given {
		attribute, text = "disableApiStop", value
	}
	m, err := c.attributeOf(f, attribute)
	if err != nil {
		return nil, err
	}
	protect, err := strconv.ParseBool(text)
	if err != nil {
		return nil, refuse("InvalidParameterValue", "Value (%s) for parameter value is invalid. Expecting true or false.", text)
	}
	if protect {
		if err := m.canProtect(); err != nil {
			return nil, err
		}
	}
	m.StopProtected = protect
	c.changed()
	return &doneAnswer{Return: true}, nil
}

// attributeOf finds the instance of a call about an attribute. This EC2 has disableApiStop only.
func (c *Cloud) attributeOf(f form, attribute string) (*machine, error) {
	id := f.get("InstanceId")
	if id == "" {
		return nil, errMissing("instanceId")
	}
	if attribute == "" {
		return nil, refuse("InvalidParameterCombination", "No attributes specified.")
	}
	if attribute != "disableApiStop" {
		return nil, refuse("InvalidParameterValue", "Value (%s) for parameter attribute is invalid. The local EC2 knows disableApiStop only.", attribute)
	}
	found, err := c.lookup([]string{id})
	if err != nil {
		return nil, err
	}
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	return found[0], nil
}

// encodeXML writes one answer. The structs here always encode.
func encodeXML(name, namespace string, value any) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	start := xml.StartElement{
		Name: xml.Name{Local: name},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}},
	}
	if err := xml.NewEncoder(&b).EncodeElement(value, start); err != nil {
		panic("awssim: an answer can't be encoded: " + err.Error()) // unreachable
	}
	return b.Bytes()
}

// ec2Error writes EC2's error shape, which has no namespace and spells RequestID its own way.
func ec2Error(refused *APIError, requestID string) []byte {
	body := struct {
		XMLName   xml.Name `xml:"Response"`
		Code      string   `xml:"Errors>Error>Code"`
		Message   string   `xml:"Errors>Error>Message"`
		RequestID string   `xml:"RequestID"`
	}{Code: refused.Code, Message: refused.Message, RequestID: requestID}
	b, err := xml.Marshal(body)
	if err != nil {
		panic("awssim: an error can't be encoded: " + err.Error()) // unreachable
	}
	return append([]byte(xml.Header), b...)
}
