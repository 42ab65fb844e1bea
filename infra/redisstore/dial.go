package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Dial reads a Redis URL and makes a client; it does not connect yet.
//
//	redis://[user:password@]host:6379[/db]      one server; rediss:// for TLS
//	redis://host1:6379,host2:6379               a cluster, by some of its nodes
//	rediss://host:6379?cluster=true             a cluster, by one name (ElastiCache Serverless)
//	redis://sentinel1:26379,sentinel2:26379?master=NAME   Sentinel
//
// An error never holds the URL, which may hold a password.
func Dial(url string) (redis.UniversalClient, error) {
	client, _, err := DialAs(url)
	return client, err
}

// DialAs makes a client whose login may change while it runs.
func DialAs(url string) (redis.UniversalClient, *Login, error) {
	o, err := options(url)
	if err != nil {
		return nil, nil, fmt.Errorf("REDIS_URL: %w; write redis://host:6379, or rediss:// for TLS", err)
	}
	l := &Login{}
	l.now.Store(o)
	o.CredentialsProviderContext = func(context.Context) (user, password string, err error) {
		now := l.now.Load()
		return now.Username, now.Password, nil
	}
	return redis.NewUniversalClient(o), l, nil
}

// Login is as whom new connections log in. It is safe for concurrent use.
type Login struct {
	now atomic.Pointer[redis.UniversalOptions]
}

// Renew takes the user and password of the URL, which must be one of the same
// Redis. Connections that are open stay.
func (l *Login) Renew(url string) error {
	o, err := options(url)
	if err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	now := l.now.Load()
	if !slices.Equal(o.Addrs, now.Addrs) || o.DB != now.DB || o.MasterName != now.MasterName ||
		o.IsClusterMode != now.IsClusterMode || (o.TLSConfig == nil) != (now.TLSConfig == nil) {
		return errors.New("REDIS_URL: it names another Redis than before: restart to move there")
	}
	l.now.Store(o)
	return nil
}

func options(url string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return nil, errors.New("not a URL")
	}
	rest, query, _ := strings.Cut(rest, "?")
	rest, db, _ := strings.Cut(rest, "/")
	login, hosts := "", rest
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		login, hosts = rest[:at+1], rest[at+1:]
	}
	addrs := strings.Split(hosts, ",")
	cluster, master := len(addrs) > 1, ""
	var others []string
	for _, setting := range strings.Split(query, "&") {
		switch key, value, _ := strings.Cut(setting, "="); key {
		case "cluster":
			cluster = value == "true"
		case "master":
			master = value
		case "":
		default:
			others = append(others, setting)
		}
	}
	one, err := redis.ParseURL(scheme + "://" + login + addrs[0] + "/" + db + "?" + strings.Join(others, "&"))
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	if one.TLSConfig != nil && (cluster || master != "") {
		one.TLSConfig.ServerName = "" // each node answers to its own name
	}
	return &redis.UniversalOptions{
		Addrs: addrs, MasterName: master, IsClusterMode: cluster && master == "",
		Username: one.Username, Password: one.Password, DB: one.DB, TLSConfig: one.TLSConfig,
		// The gate must know soon that the store is away: three tries, a second each.
		DialTimeout: time.Second, DialerRetries: 1, ReadTimeout: time.Second, WriteTimeout: time.Second,
		MaxRetries: 2, MinRetryBackoff: 20 * time.Millisecond, MaxRetryBackoff: 200 * time.Millisecond,
		ContextTimeoutEnabled: true,
		// Redis Enterprise's alone, and it would resolve the host's name before
		// anything is asked: a cold start waits for that.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}, nil
}
