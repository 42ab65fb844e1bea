package awssim

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// SQS's JSON protocol. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
const sqsContentType = "application/x-amz-json-1.0"

// SQS's limits. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxMessage    = 1 << 20 // bytes, of one message and of all of a batch
	maxBatch      = 10      // messages sent, received or deleted at once
	maxDelay      = 900     // seconds
	maxWait       = 20      // seconds of a long poll
	maxVisibility = 43_200  // seconds
)

// sqsActions is everything this SQS can do. None is called with mu held: a receive waits.
var sqsActions = map[string]func(*Cloud, sqsRequest) (any, error){
	"ChangeMessageVisibility": (*Cloud).sqsChangeMessageVisibility,
	"DeleteMessage":           (*Cloud).sqsDeleteMessage,
	"DeleteMessageBatch":      (*Cloud).sqsDeleteMessageBatch,
	"GetQueueAttributes":      (*Cloud).sqsGetQueueAttributes,
	"GetQueueUrl":             (*Cloud).sqsGetQueueURL,
	"ReceiveMessage":          (*Cloud).sqsReceiveMessage,
	"SendMessage":             (*Cloud).sqsSendMessage,
	"SendMessageBatch":        (*Cloud).sqsSendMessageBatch,
}

// sqsQueryCodes are the older names of errors, which SQS still sends along and the SDKs report as the code.
var sqsQueryCodes = map[string]string{
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidAttributeName":         "InvalidAttributeName",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"InvalidMessageContents":       "InvalidMessageContents",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"QueueDoesNotExist":            "AWS.SimpleQueueService.NonExistentQueue",
	"ReceiptHandleIsInvalid":       "ReceiptHandleIsInvalid",
	"RequestThrottled":             "RequestThrottled",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation":         "AWS.SimpleQueueService.UnsupportedOperation",
}

// sqsRequest has every parameter that an action here takes; the pointers tell "0" from "not said".
type sqsRequest struct {
	ctx context.Context

	QueueUrl, QueueName         string
	MessageBody                 string
	DelaySeconds                int
	MessageAttributes           map[string]any
	MessageGroupId              string
	MaxNumberOfMessages         *int
	WaitTimeSeconds             int
	VisibilityTimeout           *int
	ReceiptHandle               string
	AttributeNames              []string
	MessageSystemAttributeNames []string
	Entries                     []sqsEntry
}

// sqsEntry is one message of a batch.
type sqsEntry struct {
	Id, MessageBody, ReceiptHandle string
	DelaySeconds                   int
	MessageAttributes              map[string]any
	MessageGroupId                 string
}

func (c *Cloud) serveSQS(w http.ResponseWriter, r *http.Request, action string, body []byte) {
	requestID := newRequestID()
	in := sqsRequest{ctx: r.Context()}
	parseErr := json.Unmarshal(body, &in)
	call := Call{Service: "sqs", Action: action}
	if name := in.QueueName; name != "" {
		call.IDs = []string{name}
	} else if in.QueueUrl != "" {
		call.IDs = []string{path.Base(in.QueueUrl)}
	}

	out, err := c.callSQS(r, action, in, parseErr)
	c.record(call, err)
	if err == nil {
		answer(w, sqsContentType, requestID, http.StatusOK, mustJSON(out))
		return
	}
	refused := asAPIError(err)
	shape := "com.amazon.coral.service#" // what no service models
	if query, modelled := sqsQueryCodes[refused.Code]; modelled {
		shape = "com.amazonaws.sqs#"
		if r.Header.Get("X-Amzn-Query-Mode") == "true" {
			w.Header().Set("X-Amzn-Query-Error", query+";Sender")
		}
	}
	answer(w, sqsContentType, requestID, refused.Status, mustJSON(map[string]string{
		"__type":  shape + refused.Code,
		"message": refused.Message,
	}))
}

func (c *Cloud) callSQS(r *http.Request, action string, in sqsRequest, parseErr error) (any, error) {
	if err := c.admitCall(r, "sqs", action, "RequestThrottled"); err != nil {
		return nil, err
	}
	if parseErr != nil {
		return nil, refuse("SerializationException", "The request's body is not the JSON expected: %v", parseErr)
	}
	do := sqsActions[action]
	if do == nil {
		return nil, refuse("UnknownOperationException", "The local SQS doesn't know the action %s.", action)
	}
	return do(c, in)
}

// queue finds the queue that a request names. The caller holds mu.
func (in sqsRequest) queue(c *Cloud) (*queue, error) {
	if in.QueueUrl == "" {
		return nil, errMissing("QueueUrl")
	}
	if q := c.queueAt(in.QueueUrl); q != nil {
		return q, nil
	}
	return nil, errNoQueue()
}

func errNoQueue() *APIError {
	return refuse("QueueDoesNotExist", "The specified queue does not exist.")
}

type sentMessage struct {
	MD5OfMessageBody string
	MessageId        string
}

func (c *Cloud) sqsSendMessage(in sqsRequest) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, err
	}
	m := sqsEntry{MessageBody: in.MessageBody, DelaySeconds: in.DelaySeconds, MessageAttributes: in.MessageAttributes, MessageGroupId: in.MessageGroupId}
	if err := m.check(); err != nil {
		return nil, err
	}
	return c.sendEntry(q, m), nil
}

func (c *Cloud) sendEntry(q *queue, e sqsEntry) sentMessage {
	m := c.put(q, e.MessageBody, time.Duration(e.DelaySeconds)*time.Second)
	return sentMessage{MD5OfMessageBody: md5Hex(m.body), MessageId: m.id}
}

// check refuses a message that SQS refuses, and one that uses what isn't modelled here.
func (e sqsEntry) check() error {
	switch {
	case e.MessageBody == "":
		return errMissing("MessageBody")
	case len(e.MessageBody) > maxMessage:
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxMessage)
	case !validText(e.MessageBody):
		return refuse("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	case e.DelaySeconds < 0 || e.DelaySeconds > maxDelay:
		return invalid("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= %d.", e.DelaySeconds, maxDelay)
	case len(e.MessageAttributes) > 0:
		return refuse("UnsupportedOperation", "The local SQS keeps no message attributes.")
	case e.MessageGroupId != "":
		return refuse("UnsupportedOperation", "The local SQS has standard queues only, and no message groups.")
	}
	return nil
}

// validText says whether SQS would take a text: the characters that XML can hold.
func validText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

// batchAnswer says of each entry of a batch how it went. SQS leaves an empty Failed out.
type batchAnswer struct {
	Successful []any
	Failed     []failedEntry `json:",omitempty"`
}

type failedEntry struct {
	Id, Code, Message string
	SenderFault       bool
}

type sentEntry struct {
	Id string
	sentMessage
}

type deletedEntry struct{ Id string }

func (c *Cloud) sqsSendMessageBatch(in sqsRequest) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := 0
	for _, e := range in.Entries {
		total += len(e.MessageBody)
	}
	if total > maxMessage {
		return nil, refuse("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, total)
	}
	return c.sqsBatch(in, func(q *queue, e sqsEntry) (any, error) {
		if err := e.check(); err != nil {
			return nil, err
		}
		return sentEntry{e.Id, c.sendEntry(q, e)}, nil
	})
}

func (c *Cloud) sqsDeleteMessageBatch(in sqsRequest) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sqsBatch(in, func(q *queue, e sqsEntry) (any, error) {
		return deletedEntry{e.Id}, c.remove(q, e.ReceiptHandle)
	})
}

var batchEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// sqsBatch checks a batch as a whole, then does each entry; one that fails doesn't hold up the others.
func (c *Cloud) sqsBatch(in sqsRequest, do func(*queue, sqsEntry) (any, error)) (any, error) {
	q, err := in.queue(c)
	if err != nil {
		return nil, err
	}
	switch n := len(in.Entries); {
	case n == 0:
		return nil, refuse("EmptyBatchRequest", "There should be at least one entry in the request.")
	case n > maxBatch:
		return nil, refuse("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatch, n)
	}
	seen := map[string]bool{}
	for _, e := range in.Entries {
		if !batchEntryID.MatchString(e.Id) {
			return nil, refuse("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[e.Id] {
			return nil, refuse("BatchEntryIdsNotDistinct", "Id %s repeated.", e.Id)
		}
		seen[e.Id] = true
	}
	out := batchAnswer{Successful: []any{}}
	for _, e := range in.Entries {
		done, err := do(q, e)
		if err != nil {
			refused := asAPIError(err)
			out.Failed = append(out.Failed, failedEntry{e.Id, refused.Code, refused.Message, true})
			continue
		}
		out.Successful = append(out.Successful, done)
	}
	return out, nil
}

type receiveAnswer struct {
	Messages []receivedMessage `json:",omitempty"`
}

type receivedMessage struct {
	MessageId     string
	ReceiptHandle string
	MD5OfBody     string
	Body          string
	Attributes    map[string]string `json:",omitempty"`
}

// sqsReceiveMessage takes what is there or, in a long poll, waits until something is.
func (c *Cloud) sqsReceiveMessage(in sqsRequest) (any, error) {
	n := valueOr(in.MaxNumberOfMessages, 1)
	switch {
	case n < 1 || n > maxBatch:
		return nil, invalid("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and %d, if provided.", n, maxBatch)
	case in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > maxWait:
		return nil, invalid("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= %d, if provided.", in.WaitTimeSeconds, maxWait)
	}
	if err := checkVisibility(in.VisibilityTimeout); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(time.Duration(in.WaitTimeSeconds) * time.Second)
	defer timeout.Stop()
	for last := in.WaitTimeSeconds == 0; ; {
		taken, again, err := c.receive(in, n)
		if err != nil || len(taken) > 0 || last {
			return receiveAnswer{Messages: taken}, err
		}
		select {
		case <-again.arrived:
		case <-again.visible():
		case <-timeout.C:
			last = true // one more look: something may have become visible just now
		case <-in.ctx.Done():
			// The reader hung up. A message taken for it would be out of sight of everybody for a while.
			return receiveAnswer{}, nil
		case <-c.done:
			return nil, errClosed()
		}
	}
}

// another says when looking again may help.
type another struct {
	arrived <-chan struct{}
	in      time.Duration // until a hidden message is visible; 0: none is hidden
}

func (a another) visible() <-chan time.Time {
	if a.in <= 0 {
		return nil
	}
	return time.After(a.in)
}

func (c *Cloud) receive(in sqsRequest, n int) ([]receivedMessage, another, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, another{}, err
	}
	visibility := q.visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	var out []receivedMessage
	for _, m := range c.take(q, n, visibility) {
		out = append(out, receivedMessage{
			MessageId:     m.id,
			ReceiptHandle: m.receipt,
			MD5OfBody:     md5Hex(m.body),
			Body:          m.body,
			Attributes:    m.attributes(c.opts.Account, append(in.AttributeNames, in.MessageSystemAttributeNames...)),
		})
	}
	if len(out) > 0 {
		return out, another{}, nil
	}
	return nil, another{q.arrived, c.nextVisible(q)}, nil
}

// attributes gives those system attributes of a message that were asked for, by the parameter's old name or its new.
func (m message) attributes(account string, names []string) map[string]string {
	all := map[string]string{
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstReceive.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"SenderId":                         account,
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
	}
	if slices.Contains(names, "All") {
		return all
	}
	asked := map[string]string{}
	for _, name := range names {
		if value, known := all[name]; known {
			asked[name] = value
		}
	}
	return asked
}

func (c *Cloud) sqsDeleteMessage(in sqsRequest) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.remove(q, in.ReceiptHandle)
}

func (c *Cloud) sqsChangeMessageVisibility(in sqsRequest) (any, error) {
	if in.VisibilityTimeout == nil {
		return nil, errMissing("VisibilityTimeout")
	}
	if err := checkVisibility(in.VisibilityTimeout); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.hide(q, in.ReceiptHandle, time.Duration(*in.VisibilityTimeout)*time.Second)
}

func (c *Cloud) sqsGetQueueURL(in sqsRequest) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queues[in.QueueName]
	if q == nil {
		return nil, errNoQueue()
	}
	return map[string]string{"QueueUrl": c.queueURL(q)}, nil
}

func (c *Cloud) sqsGetQueueAttributes(in sqsRequest) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, err
	}
	now := c.state(q)
	all := map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(len(now.Visible)),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(len(now.Delayed)),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(len(now.InFlight)),
		"CreatedTimestamp":                      strconv.FormatInt(q.created.Unix(), 10),
		"MaximumMessageSize":                    strconv.Itoa(maxMessage),
		"QueueArn":                              q.arn(c),
		"VisibilityTimeout":                     strconv.Itoa(int(q.visibility.Seconds())),
	}
	if q.deadLetter != nil {
		all["RedrivePolicy"] = string(mustJSON(map[string]any{
			"deadLetterTargetArn": q.deadLetter.arn(c),
			"maxReceiveCount":     q.maxReceives,
		}))
	}
	asked := map[string]string{}
	for _, name := range in.AttributeNames {
		value, known := all[name]
		switch {
		case name == "All":
			return map[string]any{"Attributes": all}, nil
		case known:
			asked[name] = value
		case name != "RedrivePolicy": // a queue that has none leaves it out
			return nil, refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return map[string]any{"Attributes": asked}, nil
}

func checkVisibility(seconds *int) error {
	if v := valueOr(seconds, 0); v < 0 || v > maxVisibility {
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and %d.", v, maxVisibility)
	}
	return nil
}

func invalid(format string, args ...any) *APIError {
	return refuse("InvalidParameterValue", format, args...)
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s)) // the protocol's checksum, no secret
	return hex.EncodeToString(sum[:])
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("awssim: an answer can't be encoded: %v", err)) // unreachable
	}
	return b
}
