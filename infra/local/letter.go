package local

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
)

// What a mail may be made of here; the bot's is far from either.
const (
	maxDepth = 10 // parts within parts
	maxParts = 100
)

// letter is a mail taken apart. https://www.rfc-editor.org/rfc/rfc2045
type letter struct {
	subject, from, to string
	parts             []part // without those that only hold others, as they came
	html, text        *part  // what is to be read, if it is there
}

// part is one body of a mail.
type part struct {
	kind     string // "text/html"
	charset  string // of a text
	name     string // of a file, without folders
	cid      string // what HTML calls it
	attached bool   // to be kept, not shown
	data     []byte
}

// readLetter takes a mail apart. What could be read is there with an error too.
func readLetter(raw []byte) (letter, error) {
	var l letter
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return l, fmt.Errorf("the mail's header: %w", err)
	}
	l.subject, l.from, l.to = decoded(m.Header.Get("Subject")), decoded(m.Header.Get("From")), decoded(m.Header.Get("To"))
	err = l.take(textproto.MIMEHeader(m.Header), m.Body, 1)
	for i := range l.parts {
		switch p := &l.parts[i]; {
		case p.attached || p.name != "":
		case p.kind == "text/html" && l.html == nil:
			l.html = p
		case p.kind == "text/plain" && l.text == nil:
			l.text = p
		}
	}
	return l, err
}

// subject is what a mail is about; nothing, when it has no header that can be read.
func subject(raw []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	return decoded(m.Header.Get("Subject"))
}

// take reads one part and those within it.
func (l *letter) take(h textproto.MIMEHeader, body io.Reader, depth int) error {
	at := fmt.Sprintf("part %d of the mail", len(l.parts)+1)
	kind, params, err := mime.ParseMediaType(cmp.Or(h.Get("Content-Type"), "text/plain"))
	if err != nil {
		return fmt.Errorf("%s: Content-Type %q: %w", at, h.Get("Content-Type"), err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		return l.takeAll(multipart.NewReader(body, params["boundary"]), depth)
	}
	if len(l.parts) == maxParts {
		return fmt.Errorf("the mail has more than %d parts", maxParts)
	}
	p := part{kind: kind, charset: params["charset"], name: params["name"], cid: strings.Trim(h.Get("Content-ID"), "<> ")}
	if shown, more, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil {
		p.attached, p.name = shown == "attachment", cmp.Or(more["filename"], p.name)
	}
	p.name = baseName(decoded(p.name))
	p.data, err = io.ReadAll(transferred(h.Get("Content-Transfer-Encoding"), body))
	l.parts = append(l.parts, p)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

func (l *letter) takeAll(within *multipart.Reader, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("the mail has parts within parts more than %d deep", maxDepth)
	}
	for {
		next, err := within.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d parts of the mail: %w", len(l.parts), err)
		}
		if err := l.take(next.Header, next, depth+1); err != nil {
			return err
		}
	}
}

func transferred(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

// decoded is a header with its encoded words read; as it stands when they can't be.
func decoded(header string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(header); err == nil {
		return text
	}
	return header
}

// baseName is the name without folders, whichever system wrote them.
func baseName(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// words is a text as UTF-8, from the character sets that headers are read in as well.
func (p part) words() string {
	if !strings.EqualFold(p.charset, "iso-8859-1") {
		return strings.ToValidUTF8(string(p.data), "\uFFFD")
	}
	letters := make([]rune, len(p.data))
	for i, b := range p.data {
		letters[i] = rune(b)
	}
	return string(letters)
}
