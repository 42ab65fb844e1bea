package commands

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
)

// Slack's limits of a table: 100 rows and 20 columns in both forms, and 10,000
// characters over all cells, the lowest number that is named for them.
// https://docs.slack.dev/reference/block-kit/blocks/table-block
const (
	tableRows  = 20 // more is for the CSV
	tableCell  = 80
	tableChars = 9000
)

// table is the top rows of a report. A cell is a text, or a number.
type table struct {
	caption string
	head    []string
	rows    [][]any
}

// tableOf picks what is most worth a table: the users at risk, else the oldest
// keys, else who did most.
func tableOf(r report.Report) table {
	switch {
	case r.Users.Usable() && len(r.Users.List) > 0 && len(r.Users.List[0].Findings) > 0:
		return usersTable(r.Users)
	case r.Keys.Usable() && len(r.Keys.List) > 0:
		return keysTable(r.Keys)
	case r.Starts.Usable() && len(r.Starts.People) > 0:
		return peopleTable(r.Starts)
	}
	return table{}
}

func usersTable(u report.Users) table {
	t := table{caption: "IAM users with the lowest score", head: []string{"User", "Score", "Findings"}}
	for _, user := range u.List {
		if len(user.Findings) > 0 {
			var all []string
			for _, f := range user.Findings {
				all = append(all, strings.ReplaceAll(string(f), "_", " "))
			}
			t.rows = append(t.rows, []any{user.Name, user.Score, strings.Join(all, ", ")})
		}
	}
	return t
}

func keysTable(k report.Keys) table {
	t := table{caption: "The oldest access keys", head: []string{"User", "Key", "Age in days", "State"}}
	for _, key := range k.List {
		id := "–" // the credential report has none
		if key.ID != "" {
			id = "…" + key.ID[max(0, len(key.ID)-4):]
		}
		t.rows = append(t.rows, []any{key.User, id, key.Age, activity(key.Active)})
	}
	return t
}

func peopleTable(s report.Starts) table {
	t := table{caption: "Who did most", head: []string{"Person", "Asked", "Let in", "Refused", "Approved", "Denied"}}
	for _, p := range s.People {
		who := p.Name
		if who == "" {
			who = p.User
		}
		if who == "" {
			who = "(no pass)"
		}
		t.rows = append(t.rows, []any{who, p.Asked, p.Admitted, p.Refused, p.Approved, p.Denied})
	}
	return t
}

// blocks shows the table in a form, with a word about what it leaves out.
func (t table) blocks(f auth.TableForm) []slack.Block {
	all := len(t.rows)
	if all == 0 {
		return nil
	}
	t.fit()
	if more := all - len(t.rows); more > 0 {
		t.caption += fmt.Sprintf(" (%d of %d; the CSV has all)", len(t.rows), all)
	}
	switch f {
	case auth.DataTable: // shows its caption itself
		return []slack.Block{t.data()}
	case auth.Table:
		return []slack.Block{section("*" + t.caption + "*"), t.plain()}
	}
	return []slack.Block{section("*" + t.caption + "*"), t.text()}
}

// fit cuts cells and rows to what Slack takes.
func (t *table) fit() {
	room := tableChars
	for n, row := range t.rows {
		for i, c := range row {
			if text, ok := c.(string); ok {
				row[i] = Clean(text, tableCell)
			}
			room -= utf8.RuneCountInString(cellText(row[i]))
		}
		if n == tableRows || room < 0 {
			t.rows = t.rows[:n]
			return
		}
	}
}

func cellText(c any) string {
	if n, ok := c.(int); ok {
		return strconv.Itoa(n)
	}
	return c.(string)
}

// data is a table that readers can sort.
func (t table) data() slack.Block {
	b := slack.NewDataTableBlock(t.caption).WithPageSize(10)
	var head []slack.DataTableCell
	for _, h := range t.head {
		head = append(head, slack.NewDataTableRawTextCell(h))
	}
	b.AddRow(head...)
	for _, row := range t.rows {
		var cells []slack.DataTableCell
		for _, c := range row {
			if n, ok := c.(int); ok {
				cells = append(cells, slack.NewDataTableRawNumberCell(float64(n)).WithText(strconv.Itoa(n)))
			} else {
				cells = append(cells, slack.NewDataTableRawTextCell(cellText(c)))
			}
		}
		b.AddRow(cells...)
	}
	return b
}

func (t table) plain() slack.Block {
	b := slack.NewTableBlock("")
	var head []slack.TableCell
	for _, h := range t.head {
		head = append(head, slack.NewTableRawTextCell(h))
	}
	b.AddRow(head...)
	for _, row := range t.rows {
		var cells []slack.TableCell
		for _, c := range row {
			cells = append(cells, slack.NewTableRawTextCell(cellText(c)))
		}
		b.AddRow(cells...)
	}
	return b
}

// text is the table as lines, for a workspace that has no tables.
func (t table) text() slack.Block {
	const most = 2000 // characters
	lines := []string{strings.Join(t.head, " | ")}
	room := most - len(lines[0])
	for _, row := range t.rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, strings.ReplaceAll(escaper.Replace(cellText(c)), "`", "'"))
		}
		line := strings.Join(cells, " | ")
		if room -= utf8.RuneCountInString(line) + 1; room < 0 {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, line)
	}
	return section("```\n" + strings.Join(lines, "\n") + "\n```")
}
