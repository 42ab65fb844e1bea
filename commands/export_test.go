package commands

import (
	"github.com/slack-go/slack"

	"sekisho/auth"
)

// The pure functions behind the messages, for the tests that show them with
// every value there is.
var (
	PassPage    = passPage
	ListOf      = listOf
	MinePage    = minePage
	Ambiguous   = ambiguous
	StartCard   = startCard
	ThreadLine  = threadLine
	AdoptedText = adoptedText
	Section     = section
	Edits       = edits
	RequestCard = requestCard
	AskedPage   = askedPage
	OutcomePage = outcomePage
	BreakPage   = breakPage
	BrokenGlass = brokenGlass
	AskModal    = askModal
	DenyModal   = denyModal
	CallerText  = callerText
	Hourly      = hourly

	KeyCard      = keyCard
	KeyLine      = keyLine
	OwnerMessage = ownerMessage
	HoldCard     = holdCard
	KeysPage     = keysPage
)

// HomePage is a Home tab.
func HomePage(waiting, mine []auth.Request, passes []auth.PassRecord, names map[string]string) []slack.Block {
	return home{waiting, mine, passes, names}.page()
}
