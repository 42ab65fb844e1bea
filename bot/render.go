package bot

import (
	"encoding/json"

	"github.com/slack-go/slack"

	"sekisho/commands"
)

// reply is the JSON form of an answer. slack.Msg would serialise dozens of
// empty members besides.
type reply struct {
	Type   string        `json:"response_type"`
	Text   string        `json:"text"`
	Blocks []slack.Block `json:"blocks,omitempty"`
}

// render makes a slash command's answer. It is ephemeral, always and in so
// many words: anything else would publish a pass's code.
func render(m commands.Message) ([]byte, error) {
	if m.Text == "" {
		return nil, nil // the answer is not a message
	}
	encode := func() ([]byte, error) { return json.Marshal(reply{slack.ResponseTypeEphemeral, m.Text, m.Blocks}) }
	if m.Encoded != nil {
		return m.Encoded.By(encode)
	}
	return encode()
}

// renderForm makes a form's acknowledgement: errors beside its fields, another
// page in its place, or nothing, which closes it:
// https://docs.slack.dev/surfaces/modals#updating_response
func renderForm(m commands.Message) ([]byte, error) {
	switch {
	case len(m.Wrong) > 0:
		return json.Marshal(slack.NewErrorsViewSubmissionResponse(m.Wrong))
	case m.Text == "":
		return nil, nil
	}
	page := m.Modal()
	return json.Marshal(slack.NewUpdateViewSubmissionResponse(&page))
}
