package commands

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
)
