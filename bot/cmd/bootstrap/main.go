// Bootstrap is Sekisho as a Lambda function, and nothing else: it links no
// command line, no local world, no reports and no credential chain, because
// everything that is linked is initialised at each cold start. Lambda asks for
// the name, and calls this program whatever the function's handler is: where that
// is `sekisho`, the whole program beside it takes over.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/bot"
	"sekisho/bot/cmd/wire"
)

// whole is the handler of a function that is the whole program.
const whole = "sekisho"

func main() {
	log := wire.NewLog(os.Stderr)
	if os.Getenv("_HANDLER") == whole {
		fail(log, become(filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), whole)))
	}
	handler, err := newHandler(os.Getenv, log)
	if err != nil {
		fail(log, err)
	}
	lambda.Start(handler)
}

// become puts another program in this one's place; where it returns, it has not.
func become(program string) error {
	if err := syscall.Exec(program, []string{program}, os.Environ()); err != nil {
		return fmt.Errorf("running %s, which the function's handler names: %w; is it in the package, and for this architecture?", program, err)
	}
	return nil
}

func fail(log *slog.Logger, err error) {
	log.Error("the function cannot start", "error", err)
	os.Exit(1)
}

func newHandler(env wire.Env, log *slog.Logger) (*bot.Lambda, error) {
	doors, err := bot.ReadDoors(env("SEKISHO_DOORS"))
	if err != nil {
		return nil, err
	}
	app, err := wire.New(context.Background(), wire.Config{
		Env: env, Doors: doors,
		AWS: func(service string) aws.Config { return awsConfig(env, service) },
		Log: log, Lines: os.Stdout,
	})
	if err != nil {
		return nil, err
	}
	return app.Lambda(), nil
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
