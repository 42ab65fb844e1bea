package paper

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"sync"

	"sekisho/auth/report"
)

//go:embed page.html
var pageHTML string

// pageForm is made when it is first needed: a process that makes no report does
// not pay for it.
var pageForm = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageHTML)) })

// mailMost is how long the HTML may be, in bytes. Gmail shows of a longer mail
// than 102 KB only the beginning: https://github.com/hteumeuleu/email-bugs/issues/41
const mailMost = 98_000

// HTML writes the report as a mail, which shows the pictures by their names as
// Content-IDs and fetches nothing from anywhere. Where it would be too long, its
// lists are cut shorter.
func HTML(w io.Writer, r report.Report, pictures []report.File) error {
	var out bytes.Buffer
	for most := rowsMost; ; most /= 2 {
		out.Reset()
		if err := pageForm().Execute(&out, illustrate(compose(r, most), pictures)); err != nil {
			return err
		}
		if out.Len() <= mailMost || most == 1 {
			break
		}
	}
	_, err := out.WriteTo(w)
	return err
}

// illustrated is a page with pictures.
type illustrated struct {
	page
	Loose    []report.File // those that stand for no table
	pictures []report.File
}

func illustrate(p page, pictures []report.File) illustrated {
	i := illustrated{page: p, pictures: pictures}
	placed := map[string]bool{}
	for _, part := range p.Parts {
		for _, b := range part.Blocks {
			placed[b.Picture] = true
		}
	}
	for _, f := range pictures {
		if !placed[f.Name] {
			i.Loose = append(i.Loose, f)
		}
	}
	return i
}

// Picture is what is shown in the place of the block's table; nil where there is
// none.
func (i illustrated) Picture(b block) *report.File {
	n := slices.IndexFunc(i.pictures, func(f report.File) bool { return f.Name == b.Picture })
	if n < 0 {
		return nil
	}
	return &i.pictures[n]
}
