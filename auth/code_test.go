package auth_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"sekisho/auth"
)

// code draws a code for the instance that no store knows.
func code(t *testing.T, instance string) auth.Code {
	t.Helper()
	c, err := pepper(t).NewCode(rand.Reader, instance)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodeHasNoLookAlikes(t *testing.T) {
	seen := map[rune]bool{}
	for range 500 {
		text := code(t, web).Reveal()
		if len(text) != 31 {
			t.Fatalf("a code of %d characters", len(text))
		}
		for _, r := range text {
			seen[r] = true
		}
	}
	for r := range seen {
		if strings.ContainsRune("0O1IL2Z5S8B", r) || r < '0' || r > 'Z' {
			t.Errorf("%q can be taken for another character", r)
		}
	}
	if len(seen) != 25 {
		t.Errorf("codes use %d different characters; want 25", len(seen))
	}
}

// Two peppers make of the same random bytes the same secret and other marks.
func TestSecretHas100Bits(t *testing.T) {
	other, err := auth.NewPepper("another pepper of the tests, as long as it")
	if err != nil {
		t.Fatal(err)
	}
	a, errA := pepper(t).NewCode(bytes.NewReader(make([]byte, 50)), web)
	b, errB := other.NewCode(bytes.NewReader(make([]byte, 50)), web)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	secret := 0
	for secret < len(a.Reveal()) && a.Reveal()[secret] == b.Reveal()[secret] {
		secret++
	}
	if bits := float64(secret) * math.Log2(25); bits < 100 || secret == len(a.Reveal()) {
		t.Errorf("%d of %d characters are random: %.0f bits", secret, len(a.Reveal()), bits)
	}
}

// Every byte is tried as the first that the random source gives. If it is
// drawn again, the next byte decides, so that the first character follows it.
func TestEveryCharacterIsEquallyLikely(t *testing.T) {
	first := func(b, next byte) byte {
		random := io.MultiReader(bytes.NewReader([]byte{b}), bytes.NewReader(bytes.Repeat([]byte{next}, 99)))
		c, err := pepper(t).NewCode(random, web)
		if err != nil {
			t.Fatal(err)
		}
		return c.Reveal()[0]
	}
	bytesOf, again := map[byte]int{}, 0
	for b := range 256 {
		one, two := first(byte(b), 0), first(byte(b), 1)
		if one != two {
			again++
		} else {
			bytesOf[one]++
		}
	}
	if again != 6 || len(bytesOf) != 25 {
		t.Errorf("%d bytes are drawn again, %d characters are reached; want 6, 25", again, len(bytesOf))
	}
	for c, n := range bytesOf {
		if n != 10 {
			t.Errorf("%c comes of %d bytes; want 10", c, n)
		}
	}
}

func TestNoCodeWithoutRandomness(t *testing.T) {
	dry := errors.New("no randomness")
	if c, err := pepper(t).NewCode(iotest.ErrReader(dry), web); !errors.Is(err, dry) || c.Reveal() != "" {
		t.Errorf("got a code, error %v", err)
	}
}

func TestReadCode(t *testing.T) {
	c := code(t, web).Reveal()
	for name, tt := range map[string]struct {
		text string
		ok   bool
	}{
		"as shown":                   {c, true},
		"lower case":                 {strings.ToLower(c), true},
		"double quotes":              {`"` + c + `"`, true},
		"single quotes":              {"'" + c + "'", true},
		"back-ticks":                 {"`" + c + "`", true},
		"blanks and a line's end":    {" \t" + c + "\r\n", true},
		"empty":                      {"", false},
		"quotes only":                {`""`, false},
		"a character short":          {c[1:], false},
		"a character long":           {c + "A", false},
		"a blank inside":             {c[:10] + " " + c[11:], false},
		"a quote inside":             {c[:10] + "'" + c[11:], false},
		"a look-alike inside":        {c[:10] + "0" + c[11:], false},
		"not ASCII":                  {c[:10] + "é" + c[12:], false},
		"longer than a tag can be":   {c + strings.Repeat(" ", 256), false},
		"as long as a tag can be":    {c + strings.Repeat(" ", 256-len(c)), true},
		"an ordinary tag of another": {"cost-center-4711", false},
	} {
		got, ok := auth.ReadCode(tt.text)
		if ok != tt.ok {
			t.Errorf("%s: read %v; want %v", name, ok, tt.ok)
		}
		if want := map[bool]string{true: c}[tt.ok]; got.Reveal() != want {
			t.Errorf("%s: not the code that was written", name)
		}
	}
}

func TestDigestOpensItsOwnInstanceOnly(t *testing.T) {
	p, c := pepper(t), code(t, web)
	other, err := auth.NewPepper(testPepper + " and another")
	if err != nil {
		t.Fatal(err)
	}
	d := p.Digest(web, c)
	if len(d) != 22 || strings.Contains(d, c.Reveal()) {
		t.Errorf("the digest %q: want 22 characters, and not the code", d)
	}
	if d != p.Digest(web, c) {
		t.Error("the same code digests differently")
	}
	for what, not := range map[string]string{
		"another instance": p.Digest(db, c),
		"another code":     p.Digest(web, code(t, web)),
		"another pepper":   other.Digest(web, c),
	} {
		if d == not {
			t.Errorf("%s has the same digest", what)
		}
	}
}

func TestMisfit(t *testing.T) {
	p := pepper(t)
	foreign, err := auth.NewPepper("a pepper of another checkpoint than this")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := foreign.NewCode(bytes.NewReader(make([]byte, 50)), web)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		c    auth.Code
		want auth.Reason
	}{
		"made here, for this instance":    {code(t, web), auth.Expired},
		"made here, for another instance": {code(t, db), auth.OtherInstance},
		"made elsewhere":                  {theirs, auth.Unknown},
		"no code":                         {auth.Code{}, auth.Unknown},
	} {
		if got := p.Misfit(web, tt.c); got != tt.want {
			t.Errorf("%s: %s; want %s", name, got, tt.want)
		}
	}
}

func TestPepperMustBeLong(t *testing.T) {
	short := "a short pepper of thirty-one by"
	_, err := auth.NewPepper(short)
	if !errors.Is(err, auth.ErrPepperShort) || strings.Contains(fmt.Sprint(err), short) {
		t.Errorf("a pepper of %d bytes: %v", len(short), err)
	}
	if _, err := auth.NewPepper(short + "."); err != nil {
		t.Errorf("a pepper of 32 bytes: %v", err)
	}
}

// holder keeps secrets as structs of other packages may: in the open, behind a
// pointer, in lists, and in a field that fmt cannot call methods on.
type holder struct {
	Code    auth.Code
	Pepper  auth.Pepper
	Pointer *auth.Code
	List    []auth.Code
	Any     map[string]any
	code    auth.Code
	pepper  auth.Pepper
	Issued  auth.Issued
}

func TestSecretsDoNotPrint(t *testing.T) {
	c, p := code(t, web), pepper(t)
	hold := holder{
		Code: c, Pepper: p, Pointer: &c, List: []auth.Code{c}, Any: map[string]any{"code": c, "pepper": p},
		code: c, pepper: p, Issued: auth.Issued{Code: c},
	}
	said := map[string]string{}
	for name, v := range map[string]any{
		"Code": c, "*Code": &c, "Pepper": p, "*Pepper": &p, "struct": hold, "*struct": &hold,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %o"} {
			said[name+" "+verb] = fmt.Sprintf(verb, v)
		}
		said[name+" in an error"] = fmt.Errorf("reading %v: %w", v, io.EOF).Error()
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s as JSON: %v", name, err)
		}
		said[name+" as JSON"] = string(text)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		said[name+" in the log"] = log.String()
	}
	secrets := []string{c.Reveal(), testPepper}
	for _, s := range secrets[:2] {
		// The other shapes in which fmt writes a string or bytes.
		secrets = append(secrets, fmt.Sprintf("%x", s), fmt.Sprintf("%X", s),
			strings.Trim(fmt.Sprintf("%d", []byte(s)), "[]"), strings.Trim(fmt.Sprintf("%#v", []byte(s)), "[]byte{}"))
	}
	for how, text := range said {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s gives the secret away: %s", how, text)
			}
		}
	}
	for _, how := range []string{"Code %v", "Code %#v", "Pepper %s", "Code as JSON", "Pepper in the log"} {
		if !strings.Contains(said[how], "[redacted]") {
			t.Errorf("%s does not say that something was left out: %s", how, said[how])
		}
	}
}
