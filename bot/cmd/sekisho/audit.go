package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sekisho/auth"
	"sekisho/bot/cmd/wire"
	"sekisho/commands"
	"sekisho/infra/redisstore"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Look whether the trail is whole: nothing edited, dropped, reordered or cut off."`
	Export auditExportCmd `cmd:"" help:"Print the trail, for another system or for safe keeping."`
	Find   auditFindCmd   `cmd:"" help:"Print what was decided about a person, an instance or an access key."`
}

type auditVerifyCmd struct {
	Log string `help:"Compare with the lines of JSON that the bot printed (an export of its log): finds what somebody with Redis and the pepper has rewritten." type:"existingfile" placeholder:"FILE"`
}

// Run says whether the trail is whole.
func (c auditVerifyCmd) Run(ctx context.Context) error {
	printed, err := readPrinted(c.Log)
	if err != nil {
		return err
	}
	trail, store, err := openTrail(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	var first auth.Entry
	seen, err := trail.Verify(ctx, func(e auth.Entry) {
		if first.Seq == 0 {
			first = e
		}
		printed.meet(e)
	})
	if err != nil {
		return fmt.Errorf("%w (%d entries before it are good)", err, seen.Count)
	}
	if err := printed.end(first.Seq); err != nil {
		return err
	}
	if seen.Count == 0 {
		fmt.Println("The trail is empty.")
		return nil
	}
	fmt.Printf("The trail is whole: %d entries, number %d of %s to number %d of %s.\n",
		seen.Count, first.Seq, first.Time.Format(time.RFC3339), seen.Last.Seq, seen.Last.Time.Format(time.RFC3339))
	if c.Log != "" {
		fmt.Printf("It agrees with the %d entries in %s.\n", printed.met, c.Log)
	}
	return nil
}

// printed are the hashes of entries that the bot printed, by number.
type printed struct {
	hashes  map[int64]string
	met     int
	differs []int64
}

// readPrinted reads lines of JSON; those that are no entries are passed over.
func readPrinted(path string) (*printed, error) {
	p := &printed{hashes: map[int64]string{}}
	if path == "" {
		return p, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		// A log's export may have the time before the line.
		_, object, ok := strings.Cut(line, `{"kind":"trail"`)
		var e auth.Entry
		if ok && json.Unmarshal([]byte(`{"kind":"trail"`+object), &e) == nil && e.Hash != "" {
			p.hashes[e.Seq] = e.Hash
		}
	}
	if len(p.hashes) == 0 {
		return nil, fmt.Errorf("%s holds no entry of the trail: it must be the bot's standard output, in which they are lines that hold {\"kind\":\"trail\",…}", path)
	}
	return p, nil
}

func (p *printed) meet(e auth.Entry) {
	if want, ok := p.hashes[e.Seq]; ok {
		p.met++
		if want != e.Hash {
			p.differs = append(p.differs, e.Seq)
		}
		delete(p.hashes, e.Seq)
	}
}

// end says what was printed and is not in the trail as it was; older entries
// than the first were let go.
func (p *printed) end(first int64) error {
	var missing []int64
	for seq := range p.hashes {
		if seq >= first {
			missing = append(missing, seq)
		}
	}
	if len(p.differs)+len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d entries differ from what the bot printed (numbers %v) and %d that it printed are gone (numbers %v)",
		auth.ErrTampered, len(p.differs), some(p.differs), len(missing), some(missing))
}

func some(seqs []int64) []int64 { return seqs[:min(10, len(seqs))] }

type auditExportCmd struct {
	Since  string `help:"From when on: a time such as 2026-01-31T15:04:05Z, or how long ago, such as 7d or 12h." default:"7d"`
	Format string `help:"jsonl or csv." enum:"jsonl,csv" default:"jsonl"`
}

// Run prints entries.
func (c auditExportCmd) Run(ctx context.Context) error {
	since, err := commands.ReadSince(c.Since, time.Now())
	if err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	print, flush := jsonLines(os.Stdout)
	if c.Format == "csv" {
		print, flush = csvLines(os.Stdout)
	}
	return errors.Join(eachEntry(ctx, func(e auth.Entry) error {
		if e.Time.Before(since) {
			return nil
		}
		return print(e)
	}), flush())
}

func openTrail(ctx context.Context) (*redisstore.Trail, *redisstore.Store, error) {
	amazon, err := awsConfig(ctx, os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	return wire.OpenTrail(ctx, os.Getenv, amazon)
}

func eachEntry(ctx context.Context, each func(auth.Entry) error) error {
	trail, store, err := openTrail(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	return trail.Entries(ctx, 0, each)
}

func jsonLines(w io.Writer) (print func(auth.Entry) error, flush func() error) {
	enc := json.NewEncoder(w)
	return func(e auth.Entry) error { return enc.Encode(e) }, func() error { return nil }
}

// columns are an entry's fields in the order of the file.
func columns() []string {
	return []string{"seq", "time", "act", "outcome", "decided_by", "submitted_by", "instance", "request", "reason", "rule", "policy", "door", "source", "note", "prev", "hash", "key", "iam_user"}
}

func csvLines(w io.Writer) (print func(auth.Entry) error, flush func() error) {
	out := csv.NewWriter(w)
	out.Write(columns()) // an error stays in out
	print = func(e auth.Entry) error {
		row := []string{
			strconv.FormatInt(e.Seq, 10), e.Time.Format(time.RFC3339Nano), string(e.Act), string(e.Outcome), e.Decided, e.Submitted,
			e.Instance, e.Request, e.Reason, e.Rule, e.Policy, e.Door, e.Source, e.Note, e.Prev, e.Hash, e.Key, e.IAMUser,
		}
		for n := range row {
			row[n] = cell(row[n])
		}
		return out.Write(row)
	}
	return print, func() error { out.Flush(); return out.Error() }
}

// cell keeps a spreadsheet from taking what somebody wrote for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

type auditFindCmd struct {
	User     string `help:"Slack user id, as asker or as decider."`
	Instance string `help:"Instance id."`
	Key      string `help:"Access key id (AKIA…)."`
	IAMUser  string `help:"Name of an IAM user whose access keys it was about."`
	Since    string `help:"As in export." default:"30d"`
}

// Run prints a table.
func (c auditFindCmd) Run(ctx context.Context) error {
	since, err := commands.ReadSince(c.Since, time.Now())
	if err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	if c == (auditFindCmd{Since: c.Since}) {
		return errors.New("say what to look for: --user U0123ABCD, --instance i-…, --key AKIA…, --iam-user NAME, or several of them")
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "NUMBER\tTIME\tACT\tOUTCOME\tASKED BY\tDECIDED BY\tABOUT\tREASON\tNOTE")
	found := 0
	err = eachEntry(ctx, func(e auth.Entry) error {
		if e.Time.Before(since) || !c.means(e) {
			return nil
		}
		found++
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.Time.Format(time.RFC3339), e.Act, e.Outcome,
			dash(e.Submitted), dash(e.Decided), dash(about(e)), dash(e.Reason), strconv.QuoteToGraphic(e.Note))
		return nil
	})
	if err = errors.Join(err, out.Flush()); err == nil && found == 0 {
		fmt.Fprintf(os.Stderr, "nothing since %s; a longer time is --since 365d\n", since.Format(time.RFC3339))
	}
	return err
}

// means says whether the entry is what is looked for.
func (c auditFindCmd) means(e auth.Entry) bool {
	is := func(wanted string, have ...string) bool { return wanted == "" || slices.Contains(have, wanted) }
	return is(c.User, e.Decided, e.Submitted) && is(c.Instance, e.Instance) && is(c.Key, e.Key) && is(c.IAMUser, e.IAMUser)
}

// about is the instance, or the access key with its user.
func about(e auth.Entry) string {
	if e.Key != "" {
		return e.Key + " of " + e.IAMUser
	}
	return e.Instance
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Trim(strconv.QuoteToGraphic(text), `"`)
}
