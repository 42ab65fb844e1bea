package redisstore_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"sekisho/infra/redisstore"
)

// A password that was changed is that of every connection made from then on.
func TestALoginIsRenewed(t *testing.T) {
	for _, kind := range []string{"", "?cluster=true"} {
		m := miniredis.RunT(t)
		url := func(password string) string { return "redis://bot:" + password + "@" + m.Addr() + kind }
		reconnect := func(password string) {
			t.Helper()
			m.RequireUserAuth("bot", password)
			m.Close()
			if err := m.Restart(); err != nil {
				t.Fatal(err)
			}
		}
		reconnect("test-old")
		client, login, err := redisstore.DialAs(url("test-old"))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		ping := func(what string, in bool) {
			t.Helper()
			err := client.Ping(t.Context()).Err()
			if (err == nil) != in {
				t.Errorf("%q, %s: %v", kind, what, err)
			}
		}
		ping("at first", true)
		reconnect("test-new")
		ping("with the old password", false)
		if err := login.Renew(url("test-new")); err != nil {
			t.Error(err)
		}
		ping("with the new one", true)
		if err := login.Renew("redis://bot:test-other@elsewhere.test:6379" + kind); err == nil {
			t.Error("another Redis is taken")
		}
		reconnect("test-new")
		ping("after a refused change", true)
	}
}

// Another Redis would be another state: that is for a restart.
func TestALoginIsOfOneRedis(t *testing.T) {
	for was, urls := range map[string]map[string]bool{
		"redis://u:SPILT@a:1": {
			"redis://u:SPILT2@a:1": true, "redis://a:1": true, "redis://v@a:1/0": true, "redis://u:SPILT2@a:1?max_retries=1": true,
			"redis://u:SPILT2@a:2": false, "redis://u:SPILT2@a:1/3": false, "rediss://u:SPILT2@a:1": false,
			"redis://u:SPILT2@a:1,b:1": false, "redis://u:SPILT2@a:1?cluster=true": false, "redis://u:SPILT2@a:1?master=m": false,
			"SPILT2": false, "redis://u:SPILT2%zz@a:1": false, "": false,
		},
		"rediss://u:SPILT@a:1,b:1": {"rediss://u:SPILT2@a:1,b:1": true, "rediss://u:SPILT2@b:1": false},
	} {
		for url, taken := range urls {
			client, login, err := redisstore.DialAs(was)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			err = login.Renew(url)
			if (err == nil) != taken {
				t.Errorf("%s after %s: %v", url, was, err)
			}
			if err != nil && (strings.Contains(err.Error(), "SPILT") || !strings.HasPrefix(err.Error(), "REDIS_URL: ")) {
				t.Errorf("%s: %v", url, err)
			}
		}
	}
}

func TestALoginIsRenewedWhileConnecting(t *testing.T) {
	m := miniredis.RunT(t)
	m.RequireUserAuth("bot", "test")
	client, login, err := redisstore.DialAs("redis://bot:test@" + m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := client.Ping(t.Context()).Err(); err != nil {
				t.Error(err)
			}
			if err := login.Renew("redis://bot:test@" + m.Addr()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
