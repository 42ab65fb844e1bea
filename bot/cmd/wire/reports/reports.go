// Package reports adds to the program what makes and sends reports. It is apart
// from package wire so that a program that only answers people, and must start
// at once, does not link it.
package reports

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/auth/report"
	"sekisho/bot/cmd/wire"
	"sekisho/commands"
	"sekisho/commands/paper"
	"sekisho/infra/charts"
	"sekisho/infra/iamkeys"
	"sekisho/infra/iamreport"
	"sekisho/infra/sesmail"
)

// Add has the App make reports. AWS gives the configuration for one service, as
// in wire.Config.
func Add(a *wire.App, config func(service string) aws.Config) {
	config = a.Counting(config)
	d, iam := a.Desk, config("iam")
	maker := &report.Maker{
		Policy:      d.Policy,
		WhoAmI:      iamkeys.New(iam, config("sts"), config("config_service")).WhoAmI,
		Trail:       a.Trail,
		Credentials: iamreport.New(iam),
		Directory:   d.Directory,
		Now:         d.Now,
	}
	if d.Purge != nil {
		maker.Keys = d.Purge
	}
	kept := a.Store.Reports()
	d.Reports = &commands.Reports{
		Maker: maker, Snapshots: kept, Deliveries: kept, Mailer: sesmail.New(config("sesv2")),
		Draw: charts.Draw, HTML: paper.HTML, Text: paper.Text, CSV: paper.CSV, Title: paper.Title,
	}
}
