package awssim_test

import (
	"testing"

	"sekisho/infra/local/awssim"
)

func TestStartAndStop(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{Name: "build"})
	out, err := w.start(t.Context(), i.ID)
	wantOK(t, err)
	if got := out.StartingInstances[0]; got.CurrentState.Name != "pending" || got.PreviousState.Name != "stopped" || *got.PreviousState.Code != 80 {
		t.Fatalf("start answered %v → %v", got.PreviousState, got.CurrentState)
	}
	w.wantStates(t, i.ID, "pending", "running")
	_, err = w.stop(t.Context(), i.ID)
	wantOK(t, err)
	w.wantStates(t, i.ID, "stopping", "stopped")
}
