package policyfile

import (
	"cmp"

	"sekisho/auth"
)

// policy is the shape of sekisho.yml: what may be written, where it goes and
// what must be there. Whatever is left out keeps the value that p has.
func policy(p *auth.Policy) read {
	return then(
		mapping(
			must("version", "write version: 1", version),
			must("slack", "write slack: {channels: {alerts: C…}}", mapping(
				must("channels", "write channels: {alerts: C…}", channels(&p.Channels)),
			)),
			must("gate", "write gate: with guard: and when_unavailable: in it", then(gate(&p.Gate), passTagIsApart(&p.Gate))),
			may("passes", passes(&p.Passes)),
			must("rules", "write rules: with who may ask, such as - {name: everyone, ask: [everyone]}", then(
				list(&p.Rules, rule),
				some("there is no rule, so that nobody may ask for a pass", "write at least one, such as - {name: everyone, ask: [everyone]}"),
				rulesCanMatch(&p.Rules))),
			may("people", people(&p.People)),
			may("trail", mapping(
				may("keep", duration(&p.Trail.Keep, "7d", "3650d")),
			)),
			may("keys", part(&p.Keys, auth.DefaultKeys(), keys)),
			may("reports", reports(&p.Reports)),
			may("admins", then(
				list(&p.Admins, decider),
				some("nobody could ask for `/sekisho doctor`",
					"write the ids of users and user groups, such as [U0123ABCD, S0123ABCD], or take it out"),
				distinct(&p.Admins))),
		),
		requestsHaveAChannel(p),
		reportsHaveAChannel(p),
		reportsHaveATrail(p),
		brokenGlassIsShort(p),
	)
}

func channels(c *auth.Channels) read {
	return then(
		mapping(
			must("alerts", "write alerts: and the id of the channel that is told of refused starts", channel(&c.Alerts)),
			may("approvals", channel(&c.Approvals)),
			may("reports", channel(&c.Reports)),
			may("break_glass", channel(&c.BreakGlass)),
			may("keys", channel(&c.Keys)),
		),
		func(value) bool {
			c.BreakGlass = cmp.Or(c.BreakGlass, c.Alerts)
			c.Keys = cmp.Or(c.Keys, c.Alerts)
			return true
		},
	)
}

func gate(g *auth.GatePolicy) read {
	return mapping(
		may("mode", choice(&g.Mode, auth.Observe, auth.Enforce)),
		must("guard", whatToGuard, then(
			mapping(
				may("tags", tags(&g.Guard.Tags)),
				may("instances", list(&g.Guard.Instances, instance)),
				may("all", truth(&g.Guard.All)),
				may("except", list(&g.Guard.Except, instance)),
			),
			guardMakesSense(&g.Guard))),
		may("pass_tag", passTag(&g.PassTag)),
		must("when_unavailable", "write when_unavailable: stop, or allow. Either can hurt while the store is away: stop ends starts that have\n"+
			"a good pass, allow lets everything in. So it has no default: the choice is yours, and must be written down",
			choice(&g.WhenUnavailable, auth.StopUnjudged, auth.AllowUnjudged)),
		may("cannot_stop", cannotStop(g.CannotStop)),
		may("lock", mapping(
			may("after", count(&g.Lock.After, often)),
			may("within", duration(&g.Lock.Within, "1s", "365d")),
			may("for", duration(&g.Lock.For, "1s", "365d")),
		)),
	)
}

func passes(p *auth.PassPolicy) read {
	return mapping(
		may("ttl", passLife(&p.TTL)),
		may("start_now", truth(&p.StartNow)),
		may("limit", mapping(
			may("person", count(&p.Limit.Person, often)),
			may("instance", count(&p.Limit.Instance, often)),
			may("per", duration(&p.Limit.Per, "1s", "365d")),
		)),
	)
}

// cannotStop has one field for each obstacle that auth knows.
func cannotStop(answers map[auth.Obstacle]auth.Answer) read {
	var fields []field
	for _, o := range auth.Obstacles() {
		fields = append(fields, may(string(o), func(v value) bool {
			answer := answers[o]
			ok := choice(&answer, o.Answers()...)(v)
			answers[o] = answer
			return ok
		}))
	}
	return mapping(fields...)
}
