package wire

import (
	"fmt"
	"strings"
	"testing"

	"sekisho/auth"
)

// The pepper prints as a placeholder wherever it gets to.
func TestSecretsPrintAsPlaceholders(t *testing.T) {
	pepper, err := auth.NewPepper("test-SPILT-pepper-of-thirty-two-bytes")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, settings{pepper: pepper}); strings.Contains(text, "SPILT") {
			t.Errorf("%s of the settings holds the pepper: %s", verb, text)
		}
	}
}
