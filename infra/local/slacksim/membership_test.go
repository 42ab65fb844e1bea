package slacksim

import (
	"slices"
	"testing"

	"github.com/slack-go/slack"
)

func TestTheBotLeavesAndComesBack(t *testing.T) {
	w, api := open(t, Options{})
	for _, step := range []struct {
		change func(channel, user string) error
		member bool
		code   string
	}{{w.RemoveFromChannel, false, "not_in_channel"}, {w.AddToChannel, true, ""}} {
		if err := step.change("C0OPS", w.Bot().ID); err != nil {
			t.Fatal(err)
		}
		c, err := api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: "C0OPS"})
		if err != nil || c.IsMember != step.member {
			t.Errorf("conversations.info says %+v, %v; want is_member %v", c, err, step.member)
		}
		_, _, err = api.PostMessage("C0OPS", text("x"))
		wantCode(t, "posting", err, step.code)
		ids, _, err := api.GetUsersInConversation(&slack.GetUsersInConversationParameters{ChannelID: "C0OPS"})
		if err != nil || slices.Contains(ids, w.Bot().ID) != step.member {
			t.Errorf("conversations.members says %v, %v", ids, err)
		}
	}
}

// TestAPersonLeavesAndComesBack goes twice through each door: nobody is a member twice over.
func TestAPersonLeavesAndComesBack(t *testing.T) {
	w, _ := open(t, Options{})
	changes := w.Changes(t.Context())
	for range 2 {
		if err := w.RemoveFromChannel("C0OPS", "U0BEN"); err != nil {
			t.Fatal(err)
		}
		receive(t, changes)
		if mine := w.Channels("U0BEN"); len(mine) != 0 {
			t.Errorf("outside, ben still has %v", mine)
		}
		for range 2 {
			if err := w.AddToChannel("C0OPS", "U0BEN"); err != nil {
				t.Fatal(err)
			}
		}
		if mine := w.Channels("U0BEN"); len(mine) != 1 || !slices.Equal(mine[0].Members, []string{"U0HANA", "U0BEN"}) {
			t.Errorf("inside again, ben has %v", mine)
		}
		receive(t, changes)
	}
}

func TestOnlyKnownPeopleAndChannelsAreChanged(t *testing.T) {
	w, api := open(t, Options{})
	im, _, _, err := api.OpenConversation(with("U0BEN"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ channel, user string }{{"C0NONE", "U0BEN"}, {"C0OPS", "U0NOBODY"}, {im.ID, "U0BEN"}} {
		if w.RemoveFromChannel(c.channel, c.user) == nil || w.AddToChannel(c.channel, c.user) == nil {
			t.Errorf("%s went out of %s and in", c.user, c.channel)
		}
	}
}
