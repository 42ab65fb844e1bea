package awssim

import (
	"bytes"
	"net/http"
	"net/mail"
	"slices"
)

// SES's limits. https://docs.aws.amazon.com/ses/latest/dg/quotas.html
const (
	maxRecipients = 50
	maxMailSize   = 40 << 20 // bytes of MIME, whose attachments are base64 already
	maxMailLine   = 1000     // bytes, CRLF included: RFC 5321, which SES asks of raw mail
)

// sesSendEmail takes a mail, or says why not. The caller holds mu.
func (c *Cloud) sesSendEmail(in sesRequest) (id string, err error) {
	switch raw := in.Content.Raw; {
	case c.post.paused:
		return "", errSendingPaused()
	case in.Content.Simple != nil || in.Content.Template != nil:
		return "", badRequest("The local SES takes raw content only, neither simple nor a template.")
	case raw == nil || len(raw.Data) == 0:
		return "", badRequest("The request must contain the parameter Content.Raw.Data.")
	case len(raw.Data) > maxMailSize:
		return "", errMailSize()
	}
	if set := in.ConfigurationSetName; set != "" && !c.post.configurationSets[set] {
		return "", &APIError{"NotFoundException", "Configuration set <" + set + "> does not exist.", http.StatusNotFound}
	}
	m, err := readMail(in)
	if err != nil {
		return "", err
	}
	if err := c.checkIdentities(m); err != nil {
		return "", err
	}
	now := c.opts.Now()
	sent := Mail{ID: newMessageID(now), At: now, From: m.senders[0].Address, Raw: in.Content.Raw.Data}
	for _, to := range m.recipients {
		sent.To = append(sent.To, to.Address)
	}
	c.keep(sentMail{sent, in.ConfigurationSetName})
	return sent.ID, nil
}

// parsedMail is who writes to whom.
type parsedMail struct {
	senders    []*mail.Address // whom the call names first, then the MIME's From; one at least
	recipients []*mail.Address // one at least
}

// readMail understands a call's raw mail, as far as SES looks at it.
func readMail(in sesRequest) (m parsedMail, err error) {
	raw := in.Content.Raw.Data
	for line := range bytes.Lines(raw) {
		if len(bytes.TrimRight(line, "\r\n"))+2 > maxMailLine {
			return m, badRequest("A line of the raw message is longer than %d bytes: %.40q…", maxMailLine, line)
		}
	}
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m, badRequest("The raw message is not MIME: %v", err)
	}
	if message.Header.Get("From") == "" {
		return m, badRequest("Missing required header 'From'.")
	}
	if in.FromEmailAddress != "" {
		if m.senders, err = parseAddresses(in.FromEmailAddress); err != nil {
			return m, err
		}
	}
	from, err := parseList(message.Header.Get("From"))
	if err != nil {
		return m, err
	}
	m.senders = append(m.senders, from...)

	if m.recipients, err = parseAddresses(in.Destination.all()...); err != nil {
		return m, err
	}
	if len(m.recipients) == 0 {
		for _, header := range []string{"To", "Cc", "Bcc"} {
			to, err := parseList(message.Header.Get(header))
			if err != nil {
				return m, err
			}
			m.recipients = append(m.recipients, to...)
		}
	}
	switch n := len(m.recipients); {
	case n == 0:
		return m, badRequest("Missing required header 'To'.")
	case n > maxRecipients:
		return m, badRequest("Recipient count exceeds %d.", maxRecipients)
	}
	return m, nil
}

func parseAddresses(texts ...string) ([]*mail.Address, error) {
	var addresses []*mail.Address
	for _, text := range texts {
		a, err := mail.ParseAddress(text)
		if err != nil {
			return nil, badRequest("Invalid email address %s.", text)
		}
		addresses = append(addresses, a)
	}
	return addresses, nil
}

// parseList reads a header; one that is missing has no addresses.
func parseList(header string) ([]*mail.Address, error) {
	if header == "" {
		return nil, nil
	}
	addresses, err := mail.ParseAddressList(header)
	if err != nil {
		return nil, badRequest("Invalid email address %s.", header)
	}
	return addresses, nil
}

// checkIdentities refuses a mail from, or in the sandbox to, addresses that aren't verified. The caller holds mu.
func (c *Cloud) checkIdentities(m parsedMail) error {
	var failed []string
	fail := func(a *mail.Address) {
		shown := a.Address
		if a.Name != "" {
			shown = a.Name + " <" + a.Address + ">"
		}
		if !slices.Contains(failed, shown) {
			failed = append(failed, shown)
		}
	}
	for _, a := range m.senders {
		if !c.post.verified(a.Address) {
			fail(a)
		}
	}
	for _, a := range m.recipients {
		if !c.post.maySendTo(a.Address) {
			fail(a)
		}
	}
	if len(failed) > 0 {
		return refuse("MessageRejected", "%s", c.notVerified(failed))
	}
	return nil
}
