package awssim

import (
	"regexp"
	"time"
	"unicode/utf8"
)

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
