package report_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/report"
)

// planned is a report.KeyReader that has read before.
type planned struct{ purge.Plan }

func (p planned) Read(context.Context, func(done, total int)) (purge.Plan, error) { return p.Plan, nil }

// BenchmarkMake of the largest account, and a busy year: 5,000 users with 10,000
// keys, and 100,000 entries. What the trail, IAM and Redis take is not in it.
func BenchmarkMake(b *testing.B) {
	w := newWorld()
	crowd(w, 5000)
	w.order.Period = report.Period{From: week.To.AddDate(-1, 0, 0), To: week.To}
	for n := range 25000 {
		at := w.order.Period.From.Add(time.Duration(n) * 20 * time.Minute)
		user, instance := fmt.Sprintf("U%04d", n%500), fmt.Sprintf("i-%017x", n%2000)
		request, approval := asked(at, fmt.Sprint(n)), settles(about(at.Add(time.Minute), auth.ActApprove, fmt.Sprint(n), ben))
		request.Submitted = user
		w.trail.entries = append(w.trail.entries, request, approval,
			start(at.Add(2*time.Minute), instance, user, auth.Pass), start(at, instance, "", auth.NoTag))
	}
	judge := purge.Judge{Policy: w.purges(), Self: w.self}
	m := report.Maker{
		Policy: w.policy, WhoAmI: w.whoAmI, Trail: &w.trail, Credentials: &w.credentials, Directory: &w.people, Now: now,
		Keys: planned{judge.Plan(w.iam.users, nil, made)},
	}
	var r report.Report
	b.Run("making", func(b *testing.B) {
		for b.Loop() {
			var err error
			if r, err = m.Make(b.Context(), w.order, &r, func(string) {}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("writing", func(b *testing.B) {
		for b.Loop() {
			text, err := r.Encode()
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
		}
	})
}
