package redisstore

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
)

// maxText is how long a report's text may be; over 5,000 users it is a few MB.
// What somebody else has put into the store may claim to be longer than memory.
const maxText = 32 << 20

func pack(text []byte) ([]byte, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("its text of %d bytes is longer than is kept: %d", len(text), maxText)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text) // into memory: cannot fail
	w.Close()
	return b.Bytes(), nil
}

func unpack(packed string) ([]byte, error) {
	r, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err == nil && len(text) > maxText {
		err = fmt.Errorf("its text is longer than %d bytes", maxText)
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}
