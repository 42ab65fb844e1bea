package commands

import (
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"sekisho/auth"
)

// mailEvent is what is read of SES's events:
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
type mailEvent struct {
	Mail struct {
		ID     string `json:"messageId"`
		Source string `json:"source"`
	} `json:"mail"`
	Bounce struct {
		Type       string `json:"bounceType"` // Permanent, Transient or Undetermined
		Kind       string `json:"bounceSubType"`
		Recipients []struct {
			Address    string `json:"emailAddress"`
			Diagnostic string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		Recipients []struct {
			Address string `json:"emailAddress"`
		} `json:"complainedRecipients"`
	} `json:"complaint"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
}

// mailCameBack tells people that a report's mail was not delivered, or not
// wanted. Mail of others is none of the bot's business.
func mailCameBack(ctx context.Context, d *Desk, e Event) error {
	m, err := read[mailEvent](e)
	if err != nil {
		return err
	}
	if !d.sends(m.Mail.Source) {
		return nil
	}
	for _, problem := range m.problems() {
		// SES sends its events once at least.
		err := d.announceOnce(ctx, "mail "+m.Mail.ID+" "+problem, sayTask{Channel: d.Policy.Channels.Alerts, Text: problem})
		if err != nil {
			return err
		}
	}
	return nil
}

func (m mailEvent) problems() []string {
	var all []string
	for _, r := range m.Bounce.Recipients {
		text := fmt.Sprintf(":incoming_envelope: *A report's mail to %s came back* (%s, %s): %s.", quoted(r.Address, nameMost),
			quoted(m.Bounce.Type, 30), quoted(m.Bounce.Kind, 30), quoted(r.Diagnostic, 300))
		if m.Bounce.Type == "Permanent" {
			text += "\n*Next:* mend or remove the address in the policy's `reports:`. SES may refuse it from now on, until it is taken off the account's suppression list."
		} else {
			text += "\n*Next:* nothing yet; if it stays so, ask those who run that mailbox."
		}
		all = append(all, text)
	}
	for _, r := range m.Complaint.Recipients {
		all = append(all, fmt.Sprintf(":incoming_envelope: *Somebody at %s marked a report as spam.*\n*Next:* ask them, or take the address out of the policy's `reports:`: complaints can cost the account its right to send.", quoted(r.Address, nameMost)))
	}
	if m.Reject.Reason != "" {
		all = append(all, fmt.Sprintf(":incoming_envelope: *SES took a report's mail and then did not send it*: %s.\n*Next:* look at the account's SES page.", quoted(m.Reject.Reason, 300)))
	}
	return all
}

// sends says whether the policy's reports come from the address.
func (d *Desk) sends(from string) bool {
	return slices.ContainsFunc(d.Policy.Reports, func(p auth.ReportPolicy) bool {
		return p.Mail != nil && strings.EqualFold(bareAddress(p.Mail.From), bareAddress(from))
	})
}

func bareAddress(text string) string {
	if a, err := mail.ParseAddress(text); err == nil {
		return a.Address
	}
	return text
}
