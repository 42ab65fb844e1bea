package awssim

import (
	"bytes"
	"mime"
	"net/mail"
	"path"
	"time"
)

// Bounce makes every recipient's server refuse a mail that SES took, for good, and sends the event of that. A mail that
// isn't kept is NotFoundException.
// https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
func (c *Cloud) Bounce(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.post.mail(id)
	if err != nil {
		return err
	}
	now := c.opts.Now()
	bounce := bounceObject{
		Type: "Permanent", SubType: "General", At: milliseconds(now), FeedbackID: newMessageID(now), Reporter: "dns; mta.example.com",
	}
	for _, to := range m.To {
		bounce.Recipients = append(bounce.Recipients, bouncedRecipient{to, "failed", "5.1.1", "smtp; 550 5.1.1 user unknown"})
	}
	resources := []string{}
	if m.configurationSet != "" {
		resources = append(resources, "arn:aws:ses:"+c.opts.Region+":"+c.opts.Account+":configuration-set/"+m.configurationSet)
	}
	c.emit(c.envelope("aws.ses", "Email Bounced", now.UTC().Format(time.RFC3339), resources,
		bounceDetail{"Bounce", bounce, c.mailObject(m)}))
	return nil
}

// bounceDetail is what SES tells of a bounce: as in its other notifications, all headers left out.
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
type bounceDetail struct {
	EventType string       `json:"eventType"`
	Bounce    bounceObject `json:"bounce"`
	Mail      mailObject   `json:"mail"`
}

type bounceObject struct {
	Type       string             `json:"bounceType"`
	SubType    string             `json:"bounceSubType"`
	Recipients []bouncedRecipient `json:"bouncedRecipients"`
	At         string             `json:"timestamp"` // milliseconds, UTC
	FeedbackID string             `json:"feedbackId"`
	Reporter   string             `json:"reportingMTA"`
}

type bouncedRecipient struct {
	Address    string `json:"emailAddress"`
	Action     string `json:"action"`
	Status     string `json:"status"` // RFC 3463
	Diagnostic string `json:"diagnosticCode"`
}

type mailObject struct {
	At        string              `json:"timestamp"`
	Source    string              `json:"source"`
	SourceARN string              `json:"sourceArn"`
	Account   string              `json:"sendingAccountId"`
	ID        string              `json:"messageId"` // SES's, not the header
	To        []string            `json:"destination"`
	Truncated bool                `json:"headersTruncated"`
	Common    commonHeaders       `json:"commonHeaders"`
	Tags      map[string][]string `json:"tags"`
}

type commonHeaders struct {
	From    []string `json:"from"`
	To      []string `json:"to,omitempty"`
	Cc      []string `json:"cc,omitempty"`
	Date    string   `json:"date,omitempty"`
	ID      string   `json:"messageId"`
	Subject string   `json:"subject,omitempty"`
}

func (c *Cloud) mailObject(m sentMail) mailObject {
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		panic("awssim: a mail that was taken is not MIME: " + err.Error()) // unreachable
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil {
		subject = parsed.Header.Get("Subject")
	}
	tags := map[string][]string{
		"ses:from-domain":     {domainOf(m.From)},
		"ses:caller-identity": {path.Base(c.opts.Caller)},
	}
	if m.configurationSet != "" {
		tags["ses:configuration-set"] = []string{m.configurationSet}
	}
	return mailObject{
		At:        milliseconds(m.At),
		Source:    m.From,
		SourceARN: c.identityARN(m.From),
		Account:   c.opts.Account,
		ID:        m.ID,
		To:        m.To,
		Common: commonHeaders{
			From:    parsed.Header["From"],
			To:      parsed.Header["To"],
			Cc:      parsed.Header["Cc"],
			Date:    parsed.Header.Get("Date"),
			ID:      m.ID,
			Subject: subject,
		},
		Tags: tags,
	}
}
