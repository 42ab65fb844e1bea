// Package deployed has no code, only tests: they build what infra/deploy's
// templates say in the local world, run the real programs there with the roles
// that the templates give them, have the bot do everything that it can do, and
// hold what was called in AWS against what the roles allow and what package
// rights says.
package deployed
