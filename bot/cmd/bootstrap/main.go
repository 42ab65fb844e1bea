// Bootstrap is Sekisho as a Lambda function, and nothing else: it links no
// command line, no local world and no credential chain, because everything
// that is linked is initialised at each cold start. Lambda asks for the name.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/bot"
	"sekisho/bot/cmd/wire"
)

func main() {
	handler, err := newHandler(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sekisho:", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func newHandler(env wire.Env) (*bot.Lambda, error) {
	doors, err := bot.ReadDoors(env("SEKISHO_DOORS"))
	if err != nil {
		return nil, err
	}
	app, err := wire.New(wire.Config{
		Env: env, Doors: doors,
		AWS: func(service string) aws.Config { return awsConfig(env, service) },
		Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)), Lines: os.Stdout,
	})
	if err != nil {
		return nil, err
	}
	return app.Lambda(doors), nil
}

// awsConfig reads the variables that Lambda sets for every function:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func awsConfig(env wire.Env, service string) aws.Config {
	c := aws.Config{Region: env("AWS_REGION"), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     env("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    env("AWS_SESSION_TOKEN"),
			}, nil
		})}
	c.BaseEndpoint = wire.Endpoint(env, service)
	return c
}
