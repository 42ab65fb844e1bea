// Package charts draws a report's pictures.
//
// They are made for a phone and a retina screen alike: 1200 × 630 pixels with
// large letters on white. The colours are Okabe and Ito's, which the colour-blind
// can tell apart: https://jfly.uni-koeln.de/color/. What colour says is said in
// numbers, too.
package charts

import (
	"fmt"

	"sekisho/auth/report"
)

// Draw makes starts.png and keys.png, each only where the report has the
// section. The same report makes the same bytes.
func Draw(r report.Report) ([]report.File, error) {
	var pictures []picture
	if r.Starts.Usable() {
		p, err := starts(r)
		if err != nil {
			return nil, fmt.Errorf("drawing the starts: %w", err)
		}
		pictures = append(pictures, p)
	}
	if r.Keys.Usable() {
		pictures = append(pictures, keys(r))
	}
	var files []report.File
	for _, p := range pictures {
		png, err := p.png()
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", p.name, err)
		}
		files = append(files, report.File{Name: p.name, Title: p.title + ": " + p.words, Type: "image/png", Content: png})
	}
	return files, nil
}
