package slackchat

import (
	"strconv"
	"testing"
)

// Without a bound a large workspace would fill the memory.
func TestMemoryIsBounded(t *testing.T) {
	m := make(map[string]int)
	for n := range most + 10 {
		makeRoom(m)
		m[strconv.Itoa(n)] = n
	}
	if _, last := m[strconv.Itoa(most+9)]; len(m) != most || !last {
		t.Errorf("remembered %d, want %d with the last among them", len(m), most)
	}
}
