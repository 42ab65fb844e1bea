package awssim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// keptMails is how many mails are remembered; a demo that reports for days must not grow.
const keptMails = 100

// simulator is the domain of SES's mailbox simulator, which may be written to from the sandbox.
// https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
const simulator = "simulator.amazonses.com"

// Mail is one mail that SES took. Its bytes must not be changed.
type Mail struct {
	ID   string // "0107019c…-…-000000"
	At   time.Time
	From string   // the bare address
	To   []string // bare addresses of all recipients: those of the Destination or, without one, of To, Cc and Bcc
	Raw  []byte   // MIME, as it was handed over
}

// sentMail is a mail with what only the cloud knows of it.
type sentMail struct {
	Mail
	configurationSet string // or ""
}

// postOffice is what SES knows. The cloud's mu guards it.
type postOffice struct {
	identities        map[string]bool // folded addresses and domains; true: verified
	configurationSets map[string]bool
	sandbox, paused   bool
	sent              []sentMail // oldest first
}

func newPostOffice() postOffice {
	return postOffice{identities: map[string]bool{}, configurationSets: map[string]bool{}}
}

// VerifyIdentity makes an address, or all addresses of a domain and of its subdomains, good to send from and, in the
// sandbox, to send to.
func (c *Cloud) VerifyIdentity(addressOrDomain string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post.identities[foldDomain(addressOrDomain)] = true
}

// AddIdentity makes an address or a domain known that nobody has verified yet.
func (c *Cloud) AddIdentity(addressOrDomain string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post.identities[foldDomain(addressOrDomain)] = false
}

// AddConfigurationSet makes a configuration set that mails may name.
func (c *Cloud) AddConfigurationSet(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post.configurationSets[name] = true
}

// SetSandbox puts the account into SES's sandbox, as new ones are: recipients must be verified too. At first it is out of it.
// https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
func (c *Cloud) SetSandbox(sandbox bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post.sandbox = sandbox
}

// PauseSending makes the account send nothing, as its owner may.
// https://docs.aws.amazon.com/ses/latest/dg/monitoring-sender-reputation-pausing.html
func (c *Cloud) PauseSending(pause bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post.paused = pause
}

// Mails lists what was sent, oldest first; at most the last 100.
func (c *Cloud) Mails() []Mail {
	c.mu.Lock()
	defer c.mu.Unlock()
	mails := make([]Mail, len(c.post.sent))
	for i, m := range c.post.sent {
		mails[i] = m.Mail
	}
	return mails
}

// Mail gives one mail of Mails.
func (c *Cloud) Mail(id string) (Mail, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.post.mail(id)
	return m.Mail, err == nil
}

func (p *postOffice) mail(id string) (sentMail, error) {
	for _, m := range p.sent {
		if m.ID == id {
			return m, nil
		}
	}
	return sentMail{}, &APIError{"NotFoundException", "The mail " + id + " was not sent, or not lately.", http.StatusNotFound}
}

// keep remembers a mail. The caller holds mu.
func (c *Cloud) keep(m sentMail) {
	if len(c.post.sent) == keptMails {
		c.post.sent = slices.Delete(c.post.sent, 0, 1)
	}
	c.post.sent = append(c.post.sent, m)
	c.changed()
}

// verified says whether an address, or a domain that it is in, was verified.
func (p *postOffice) verified(address string) bool { return p.identities[p.sendsAs(address)] }

// sendsAs is the identity that a mail from an address is sent by: the address, or a domain that it is in. Where none was
// verified it is the address.
func (p *postOffice) sendsAs(address string) string {
	address = foldDomain(address)
	if p.identities[address] {
		return address
	}
	for domain := domainOf(address); domain != ""; _, domain, _ = strings.Cut(domain, ".") {
		if p.identities[domain] {
			return domain
		}
	}
	return address
}

// maySendTo says whether a recipient is allowed.
func (p *postOffice) maySendTo(address string) bool {
	return !p.sandbox || p.verified(address) || domainOf(foldDomain(address)) == simulator
}

// domainOf is what follows the last at sign, if there is one.
func domainOf(address string) string { return address[strings.LastIndex(address, "@")+1:] }

// foldDomain is an address or a domain as SES compares it: the case of a domain doesn't matter, that of a name before it does.
func foldDomain(identity string) string {
	at := strings.LastIndex(identity, "@") + 1
	return identity[:at] + strings.ToLower(identity[at:])
}

// newMessageID makes an id as SES's are: the region, the millisecond and something random.
func newMessageID(now time.Time) string {
	return fmt.Sprintf("0107%012x-%s-000000", now.UnixMilli(), uuid.NewString())
}
