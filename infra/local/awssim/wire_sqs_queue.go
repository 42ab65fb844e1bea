package awssim

import (
	"strconv"
)

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
