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
	return json.Marshal(reply{slack.ResponseTypeEphemeral, m.Text, m.Blocks})
}
