package redisstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// pairs makes a map of a script's flat answer of names and values.
func pairs(answer any) map[string]string {
	flat, _ := answer.([]any)
	fields := make(map[string]string, len(flat)/2)
	for n := 0; n+1 < len(flat); n += 2 {
		fields[fmt.Sprint(flat[n])] = fmt.Sprint(flat[n+1])
	}
	return fields
}

// changes reads what has happened to a record after so many changes.
func changes[C any](f map[string]string, after int) ([]C, error) {
	var all []C
	for n := after + 1; n <= int(number(f["version"])); n++ {
		var c C
		if err := json.Unmarshal([]byte(f[fmt.Sprint("change:", n)]), &c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func errNewer(record, version string) error {
	return fmt.Errorf("%s is a record of version %q, written by a newer sekisho: this one reads version 1",
		record, version)
}

func when(ms string) time.Time { return time.UnixMilli(number(ms)) }

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // absent is 0
	return n
}
