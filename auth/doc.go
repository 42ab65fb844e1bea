// Package auth decides: who may have a pass, whether a start is let in, and
// why not.
//
// It knows nothing of Slack, AWS or Redis. What it needs of them it says in
// small interfaces that stand beside the code that uses them; what they must
// keep is a promise in the interface's comment and a test in authtest, which
// every adapter runs.
//
// The words:
//
//   - A pass is a one-time password bound to one Slack user and one instance,
//     with a deadline. Its code is shown once; only a keyed digest is kept.
//   - A guarded instance is one that the policy says needs a pass to start.
//   - The gate judges one start, named by instance and launch time. It admits
//     or refuses it, once, whatever number of events speak of it.
//   - A grant is the record that a start was admitted; it is written in the
//     same step in which the pass is consumed.
//   - The sweep looks at what is really running, for what events missed.
package auth
