package awssim

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
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

// sqsRequest has every parameter that an action here takes, named as on the wire; the pointers tell "0" from "not said".
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
	call := Call{Service: "sqs", Action: action, Key: signedBy(r)}
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
	if query, has := sqsQueryCodes[refused.Code]; has && r.Header.Get("X-Amzn-Query-Mode") == "true" {
		w.Header().Set("X-Amzn-Query-Error", query+";Sender")
	}
	answer(w, sqsContentType, requestID, refused.Status, mustJSON(map[string]string{
		"__type":  "com.amazonaws.sqs#" + refused.Code,
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
	if err := c.permitSQS(r, action, in); err != nil {
		return nil, err
	}
	return do(c, in)
}

func (c *Cloud) permitSQS(r *http.Request, action string, in sqsRequest) error {
	by := c.callerOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.permit(by, c.sqsNeed(action, in))
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
