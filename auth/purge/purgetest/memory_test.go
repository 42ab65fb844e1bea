package purgetest_test

import (
	"testing"

	"sekisho/auth/purge"
	"sekisho/auth/purge/purgetest"
)

func TestPromisesInMemory(t *testing.T) {
	purgetest.Stores(t, func(*testing.T) (purge.Store, purge.Budget) {
		m := purgetest.NewMemory()
		return m, m
	})
}
